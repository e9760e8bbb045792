"""What `dmcvr.reconstruct` gives: printed, handed to other programs, saved."""

import json

import dmcvr
import numpy as np
import pytest
import SimpleITK as sitk


def test_what_comes_back_is_short_in_print_and_goes_to_other_programs(drawn):
    assert repr(drawn) == str(drawn)
    assert repr(drawn).startswith("<dmcvr.Result by linear: 1 frame of 130 x 120 x ")
    assert len(repr(drawn)) < 150
    volume, labels = drawn.to_sitk()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(volume), drawn.volume[0])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(labels), drawn.labels[0])
    at = (40, 30, 3)
    np.testing.assert_allclose(
        labels.TransformIndexToPhysicalPoint(at), (drawn.grid.affine @ [*at, 1])[:3], atol=1e-6
    )


def test_it_is_saved_as_the_command_line_saves_it(call, files, tmp_path, quick):
    result = dmcvr.reconstruct(files["sax"], labels=files["labels"], **quick)
    result.save(tmp_path / "api")
    arguments = ("--labels", files["labels"], "--method", "linear", "--spacing", 5, "--quiet")
    answer = call("reconstruct", files["sax"], "-o", tmp_path / "cli", *arguments)
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    names = {path.name for path in (tmp_path / "api").iterdir()}
    assert names == {path.name for path in (tmp_path / "cli").iterdir()}
    for name in ("volume.nrrd", "labels.nrrd", "measurements.csv"):
        assert (tmp_path / "api" / name).read_bytes() == (tmp_path / "cli" / name).read_bytes()
    records = [json.loads((tmp_path / place / "result.json").read_text()) for place in ("api", "cli")]
    assert records[0]["volumes"] == records[1]["volumes"]


def test_a_cine_has_four_dimensions_with_time_in_ms(cine, quick):
    stack = cine.sax.select(slices=slice(4, 9))
    result = dmcvr.reconstruct(stack, labels=cine.sax_labels[:, 4:9], frame="all", **quick)
    volume, labels = result.to_sitk()
    assert volume.GetSize() == labels.GetSize() == (*result.grid.shape[::-1], 3)
    np.testing.assert_allclose(volume.GetSpacing(), [*result.grid.spacing, np.diff(stack.times).mean()])
    assert volume.GetOrigin()[3] == pytest.approx(stack.times[0])
    again = dmcvr.reconstruct(volume, labels=labels, frame="all", **quick)
    np.testing.assert_allclose(again.heart.stack.times, stack.times, atol=0.01)
    np.testing.assert_allclose(again.volume, result.volume, atol=1e-3)
