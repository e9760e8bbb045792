"""The Python example of RECONSTRUCTING.md runs as it is printed, on a small stack."""

import numpy as np
import pytest
from dmcvr.core.stack import stack_grid
from dmcvr.io.nrrd import write_volume
from dmcvr.simulation.phantom import PhantomConfig, make_phantom
from markdownfiles import ROOT, Document


@pytest.mark.slow
def test_the_python_example_gives_what_its_comment_says(tmp_path, monkeypatch):
    small = PhantomConfig(pixel_mm=2.4, matrix=(120, 130), lax_matrix=(60, 60), n_frames=4)
    stack = make_phantom(small, frames=[0, 1]).sax.select(slices=slice(5, 9))
    write_volume(tmp_path / "sax.nrrd", stack.frames, stack_grid(stack), stack.times)
    document = Document.read(ROOT / "Resources/Documentation/RECONSTRUCTING.md")
    (example,) = [code for language, code in document.blocks if language == "python"]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)
    result = names["result"]
    assert result.volume.shape == result.labels.shape == (1, *result.grid.shape)
    known = [z for z, index in enumerate(result.heart.acquired) if index is not None]
    assert known[-1] - known[0] == 15  # 30 mm, a slice every 2 mm; more where the heart goes on beyond
    assert result.grid.affine.shape == (4, 4)
    assert set(np.unique(result.labels)) == {0, 1, 2, 3}
    saved = {path.name for path in (tmp_path / "result").iterdir()}
    assert {"volume.nii.gz", "labels.nii.gz", "measurements.csv"} <= saved
