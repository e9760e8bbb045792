"""The acquired slices before and after they were put in register."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.io.inputs import Input
from dmcvr.output.record import make_record
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from DMCVRReconstructionLib.comparison.before_register import slicesBeforeRegister
from DMCVRReconstructionLib.comparison.helper_nodes import nearestAcquiredSlices
from DMCVRReconstructionLib.scene.result_files import ResultFiles
from DMCVRReconstructionLib.scene.result_nodes import INPUT_ROLE


@pytest.fixture(scope="session")
def registered(phantom):
    """The phantom's first frame, put in register by its long-axis images."""
    stack, labels = phantom.sax.select(frames=[0]), phantom.sax_labels[:1]
    options = Options(method="shape", frame=0, spacing=2.5, align="lax")
    lax = tuple(image.select(frames=[0]) for image in phantom.lax.values())
    result = reconstruct(stack, None, options, labels=labels, lax=lax)
    record = make_record(result, options, None, ("ab" * 32, None), Input(result.stack), result.seconds)
    assert record.register.largest_mm > 0.5
    return ResultFiles(result.volume, result.labels, result.grid, record.to_json())


def rows(files):
    return [z for z, index in enumerate(files.record["geometry"]["acquired"]) if index is not None]


@pytest.mark.slow
def test_before_are_the_inputs_own_voxels(imported, registered, phantom):
    nodes = imported(registered)
    before, labels = slicesBeforeRegister(nodes)
    at = rows(registered)
    np.testing.assert_allclose(before[at], phantom.sax.frames[0], atol=1e-3)
    after, _ = nearestAcquiredSlices(nodes)
    moved = np.linalg.norm(registered.record["register"]["shifts_mm"], axis=1)
    farthest = int(moved.argmax())
    assert np.abs(after[at][farthest] - before[at][farthest]).mean() > 1
    # Nearest neighbour twice may cost the border of a structure a pixel.
    assert (labels[at] == phantom.sax_labels[0]).mean() > 0.985
    # Slices in between show the nearest acquired one.
    np.testing.assert_array_equal(before[at[3] + 1], before[at[3]])


@pytest.mark.slow
def test_without_the_input_the_result_is_moved_back(application, imported, registered, phantom):
    nodes = imported(registered)
    nodes.table.SetNodeReferenceID(INPUT_ROLE, None)
    before, _ = slicesBeforeRegister(nodes)
    after, _ = nearestAcquiredSlices(nodes)
    at = rows(registered)
    truth = phantom.sax.frames[0]
    assert np.abs(before[at] - truth).mean() < 0.7 * np.abs(after[at] - truth).mean()


def test_nothing_moves_where_nothing_was_moved(imported, still):
    shifts = np.zeros((len(still.record["register"]["shifts_mm"]), 2)).tolist()
    register = {"source": "none", "shifts_mm": shifts, "largest_mm": 0.0}
    nodes = imported(replace(still, record={**still.record, "register": register}))
    for before, after in zip(slicesBeforeRegister(nodes), nearestAcquiredSlices(nodes), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-3)
