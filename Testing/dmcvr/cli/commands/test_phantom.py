import numpy as np
import pytest
from dmcvr.io.label_files import read_labels
from dmcvr.io.volumes import read_lax, read_stack
from dmcvr.system.ownership import LISTED


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("phantom") / "new" / "phantom"


@pytest.mark.slow
def test_images_labels_and_truth_are_written(call, folder):
    answer = call("phantom", "--output", folder, "--frames", 1)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.endswith(f"slices in 1 frames and three long-axis views: {folder}\n")
    views = [f"lax_{view}{what}.nrrd" for view in ("2ch", "3ch", "4ch") for what in ("", "_labels")]
    names = {path.name for path in folder.iterdir()}
    assert names == {"sax.nrrd", "sax_labels.nrrd", "truth_ed.seg.nrrd", *views, LISTED}
    stack = read_stack(folder / "sax.nrrd")
    labels = read_labels(folder / "sax_labels.nrrd", stack)
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    # The exact 3D labels and those of the slices are of one heart, apart from the breath-hold shifts.
    truth = read_labels(folder / "truth_ed.seg.nrrd", stack)
    both = ((truth == 1) & (labels == 1)).sum() / (labels == 1).sum()
    assert both > 0.94
    assert read_lax(folder / "lax_4ch.nrrd").frames.shape[:2] == (1, 1)


@pytest.mark.slow
def test_a_seed_draws_another_heart(call, folder, tmp_path):
    assert call("phantom", "--output", tmp_path, "--frames", 1, "--seed", 3).code == 0
    assert (tmp_path / "sax.nrrd").read_bytes() != (folder / "sax.nrrd").read_bytes()


def test_a_phantom_that_cannot_be_made_leaves_nothing(refused, tmp_path):
    assert "n_frames" in refused("phantom", "--output", tmp_path / "a" / "b", "--frames", 1000)
