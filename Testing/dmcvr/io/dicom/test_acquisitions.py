"""Whole acquisitions are chosen, and do not mix."""

import numpy as np
import pytest
from dicomtones import FRAMES, SAX_NORMAL, assert_true_places, dataset, places, write, write_cine, write_stack
from dmcvr.io.dicom import left_out
from dmcvr.io.dicom.study import read_study

THICK = {"SliceThickness": 8}


def first(study):
    """Where the first slice lies, mm along the normal from where ``places`` begin."""
    return float((study.sax.origins[0] - places()[0]) @ SAX_NORMAL)


def reasons(study):
    return {item.reason for item in study.left_out}


def write_slices(folder, origins, start, **keywords):
    """One series a slice, numbered from ``start``."""
    for number, origin in enumerate(origins):
        write_cine(folder, origin, series=str(start + number), **keywords)


def moved(mm, count=6):
    return [origin + mm * SAX_NORMAL for origin in places(count)]


@pytest.mark.parametrize("thickness", [{}, THICK])
@pytest.mark.parametrize("mm", [2.5, 4.0, 4.5])
@pytest.mark.parametrize("layout", ["one series", "a series each", "a series a slice"])
def test_rest_and_stress_between_each_other_are_not_mixed(tmp_path, layout, mm, thickness):
    if layout == "a series a slice":
        write_slices(tmp_path, places(6), 1, **thickness)
        write_slices(tmp_path, moved(mm), 30, **thickness)
    elif layout == "a series each":
        write_stack(tmp_path, places(6), series="5", **thickness)
        write_stack(tmp_path, moved(mm), series="30", **thickness)
    elif mm == 4.5 and not thickness:
        pytest.skip("evenly spaced in one series: this is one stack")
    else:
        write_stack(tmp_path, places(6), **thickness)
        write_stack(tmp_path, moved(mm), **thickness)
    study = read_study(tmp_path)
    np.testing.assert_allclose(study.sax.gaps, 9, atol=1e-6)
    assert len(study.sax.origins) == 6
    assert_true_places(study.sax)
    assert "Another stack of 6 slices" in study.warnings[0]
    assert sum(item.count for item in study.left_out) == 6 * FRAMES


@pytest.mark.parametrize(("rest", "stress"), [(6, 6), (8, 6)])
def test_at_rest_goes_before_stress_and_whole_before_part(tmp_path, rest, stress):
    write_stack(tmp_path, places(rest), series="5", SeriesDescription="cine SAX rest")
    write_stack(
        tmp_path, places(stress), series="30", SeriesDescription="cine SAX stress", RescaleIntercept=1000
    )
    study = read_study(tmp_path)
    assert len(study.sax.origins) == rest
    assert_true_places(study.sax)
    assert f"{stress} of the {rest} slices were acquired again" in study.warnings[0]
    assert "resting" in study.warnings[0]


@pytest.mark.parametrize("one_series", [True, False])
def test_halves_taken_in_turn_are_one_stack(tmp_path, one_series):
    origins = places(9, 8.0)
    if one_series:
        write_stack(tmp_path, origins[::2], series="5", **THICK)
        write_stack(tmp_path, origins[1::2], series="6", **THICK)
    else:
        write_slices(tmp_path, [*origins[::2], *origins[1::2]], 5, **THICK)
    study = read_study(tmp_path)
    np.testing.assert_allclose(study.sax.origins, origins, atol=1e-6)
    assert study.warnings == ()
    assert study.left_out == ()


def test_parts_one_beyond_the_other_are_one_stack(tmp_path):
    write_stack(tmp_path, places(8)[:4], series="5", SeriesDescription="SAX base", **THICK)
    write_stack(tmp_path, places(8)[4:], series="6", SeriesDescription="SAX apex", **THICK)
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 8
    assert study.left_out == ()


@pytest.mark.parametrize("frames", [FRAMES, FRAMES - 1, 2])
def test_a_newer_aborted_repeat_does_not_replace_the_whole(tmp_path, frames):
    write_stack(tmp_path, places(6), series="5")
    for origin in places(6)[1:4]:
        write_cine(tmp_path, origin, frames, series="50", RescaleIntercept=1000)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 6)
    assert_true_places(study.sax)
    assert sum(item.count for item in study.left_out) == 3 * frames


def test_an_older_aborted_pass_is_not_mixed_into_the_whole(tmp_path):
    write_slices(tmp_path, places(6)[:3], 1, RescaleIntercept=1000)
    write_slices(tmp_path, places(6), 20)
    study = read_study(tmp_path)
    assert_true_places(study.sax)
    assert "3 of the 6 slices were acquired again at the same place; the newest" in study.warnings[0]


def test_one_slice_taken_again_on_the_way_replaces_the_first(tmp_path):
    origins = places(6)
    write_slices(tmp_path, origins[:4], 1)
    write_cine(tmp_path, origins[1], series="5", RescaleIntercept=1000)
    write_slices(tmp_path, origins[4:], 6)
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 6
    assert study.sax.frames[0, 1].min() > 1000 + study.sax.frames[0, 0].min() - 200
    assert "1 of the 6 slices was acquired again" in study.warnings[0]


def test_a_repeat_in_the_same_series_is_told_by_its_times(tmp_path):
    write_stack(tmp_path, places(6))
    write_stack(tmp_path, places(6), AcquisitionNumber=2)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 6)
    assert_true_places(study.sax)
    assert reasons(study) == {left_out.AGAIN}


@pytest.mark.parametrize("apart", [{"AcquisitionNumber": 2}, {"EchoTime": 3.0}])
def test_a_repeat_without_times_is_told_by_its_acquisition(tmp_path, apart):
    for origin in places():
        for repeat in range(2):
            for frame in range(FRAMES):
                held = {"TriggerTime": None} | (apart if repeat else {})
                write(dataset(origin, frame=frame, **held), tmp_path)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 5)
    assert_true_places(study.sax)


def test_copies_under_new_names_do_not_double_frames(tmp_path):
    write_stack(tmp_path, places(5))
    write_cine(tmp_path, places(5)[2], frames=3)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 5)
    assert_true_places(study.sax)
    assert sum(item.count for item in study.left_out) == 3


OTHER_KINDS = {
    "phase": {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]},
    "velocity": {"ImageType": ["ORIGINAL", "PRIMARY", "VELOCITY MAP", "P", "PCA"]},
    "real part": {"ImageType": ["ORIGINAL", "PRIMARY", "R_FFE", "R", "FFE"]},
    "imaginary part": {"ImageType": ["ORIGINAL", "PRIMARY", "I_FFE", "I", "FFE"]},
    "component": {"ComplexImageComponent": "PHASE"},
    "map": {"ImageType": ["DERIVED", "PRIMARY", "T1 MAP", "ND"]},
    "burnt in": {"BurnedInAnnotation": "YES"},
    "derived": {"ImageType": ["DERIVED", "PRIMARY", "M"]},
    "reformatted": {"ImageType": ["DERIVED", "SECONDARY", "MPR"]},
    "screenshot": {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
    "colour": {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3},
    "other modality": {"Modality": "CT"},
}


@pytest.mark.parametrize("same_series", [True, False])
@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_other_images_of_the_same_places_do_not_mix_in(tmp_path, kind, same_series):
    write_stack(tmp_path, places(6), series="5")
    other = OTHER_KINDS[kind] | {"RescaleIntercept": 1000, "SeriesDescription": "cine SAX"}
    write_stack(tmp_path, places(6), series="5" if same_series else "50", **other)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 6)
    assert_true_places(study.sax)
    assert sum(item.count for item in study.left_out) == 6 * FRAMES


def test_parts_of_complex_images_from_ge_are_told_by_a_private_element(tmp_path):
    for origin in places():
        for frame in range(FRAMES):
            for part in (0, 1, 2, 3):
                ds = dataset(origin, frame=frame, RescaleIntercept=1000 * bool(part))
                block = ds.private_block(0x43, "GEMS_PARM_01", create=True)
                block.add_new(0x2F, "SS", part)
                write(ds, tmp_path)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 5)
    assert_true_places(study.sax)


@pytest.mark.parametrize(
    "keywords",
    [
        {"SeriesDescription": "SAX perfusion", "TriggerTime": None},
        {"SeriesDescription": "SAX", "TriggerTime": 150.0},
        {"SeriesDescription": "SAX", "TriggerTime": None},
        {"SeriesDescription": "T1map MOLLI SAX", "TriggerTime": None},
    ],
)
def test_perfusion_and_maps_called_sax_do_not_replace_the_cine(tmp_path, keywords):
    write_stack(tmp_path, places(6), series="5")
    for origin in places(8):
        for frame in range(20):
            write(dataset(origin, series="60", AcquisitionTime=f"1010{frame:02d}", **keywords), tmp_path)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 6)
    assert reasons(study) == {left_out.OTHERWISE}
    assert study.warnings == (
        "The slices are not called short-axis, nor do they lie as these do in most patients; look at the "
        "outlines, they may be of another view.",
    ) or not any("left out" in warning for warning in study.warnings)


def test_what_is_called_perfusion_is_used_with_a_warning_where_there_is_no_cine(tmp_path):
    write_stack(tmp_path, places(), SeriesDescription="SAX perfusion")
    (warning,) = read_study(tmp_path).warnings
    assert "may not be a cine" in warning


def test_a_derived_slice_that_completes_the_stack_is_used_and_told(tmp_path):
    write_stack(tmp_path, places(6)[:5])
    write_stack(tmp_path, places(6)[5:], ImageType=["DERIVED", "PRIMARY", "M"])
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 6
    assert study.warnings == ("1 of the 6 slices was derived from other images, not original.",)


def test_interpolated_slices_between_the_original_ones_are_not_mixed_in(tmp_path):
    write_stack(tmp_path, places(6), series="5")
    write_stack(tmp_path, places(11, 4.5), series="90", ImageType=["DERIVED", "PRIMARY", "M"])
    study = read_study(tmp_path)
    np.testing.assert_allclose(study.sax.origins, places(6), atol=1e-6)
