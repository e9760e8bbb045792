from dmcvr.core.labels import LVC, NAMES
from dmcvr.core.terminology import TERMS, slicer_entry


def test_every_label_has_a_term_of_its_own():
    assert TERMS.keys() == NAMES.keys()
    assert len({code for code, _ in TERMS.values()}) == len(NAMES)


def test_the_entry_is_as_slicer_serialises_it():
    """Seven fields, as ``vtkSlicerTerminologiesModuleLogic::SerializeTerminologyEntry`` writes them."""
    fields = slicer_entry(LVC).split("~")
    assert fields == [
        "Segmentation category and type - DICOM master list",
        "SCT^123037004^Anatomical Structure",
        "SCT^87878005^Left ventricle",
        "^^",
        "Anatomic codes - DICOM master list",
        "^^",
        "^^",
    ]
