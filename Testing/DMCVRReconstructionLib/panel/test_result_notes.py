from dataclasses import replace

import pytest
from DMCVRReconstructionLib.panel.result_notes import registerNote, resultNotes

MOVED = (
    "Slices were put in register by the long-axis images: moved in their plane by up to 5.0 mm (slice 5) "
    "and resampled; --align off leaves them as acquired."
)
ODD = "Slices are up to 17.7 mm apart; --spacing tells how far."


@pytest.fixture
def withRecord(imported, still):
    def put(**changes):
        return imported(replace(still, record={**still.record, **changes}))

    return put


def test_no_note_speaks_of_the_command_line(withRecord, still):
    shifts = [[0.0, 0.0] for _ in still.record["register"]["shifts_mm"]]
    shifts[4] = [3.0, -4.0]
    register = {"source": "lax", "shifts_mm": shifts, "largest_mm": 5.0}
    nodes = withRecord(warnings=[ODD, MOVED], register=register)
    notes = [*resultNotes(nodes), registerNote(nodes.record)]
    assert not any("--" in note for note in notes)
    assert '"Target slice spacing"' in notes[0]
    # What was put in register is told once, and is no doubt of the result.
    assert sum("in register" in note for note in notes) == 1
    assert not any(note.startswith("Needs review") and "register" in note for note in notes)
    assert "up to 5.0 mm (slice 5)" in notes[-1]
    assert '"Alignment of slices"' in notes[-1]


def test_slices_that_were_not_moved_are_not_mentioned(withRecord, still):
    register = {**still.record["register"], "source": "none", "largest_mm": 0.0}
    assert registerNote(withRecord(register=register).record) == ""


def test_an_ejection_fraction_without_a_fitted_beat_is_told_to_be_less_sure(imported, still, cine):
    def told(files):
        return any("not fitted over the whole beat" in note for note in resultNotes(imported(files)))

    assert not cine.record["cycle"]["fitted"]
    assert told(cine)
    assert not told(replace(cine, record={**cine.record, "cycle": {**cine.record["cycle"], "fitted": True}}))
    assert not told(still)  # has no ejection fraction
