import dmcvr
import numpy as np
import pytest
from dmcvr.io.label_files import read_labels
from dmcvr.io.volumes import read_stack


@pytest.mark.slow
def test_segment_takes_a_model_that_is_loaded_and_labels_every_frame(heart, model, files, tmp_path):
    found = dmcvr.segment(heart[0], model=model)
    assert repr(found) == "<dmcvr.Segmentation: 4 slices of 130 x 120 pixels in 1 frame>"
    assert (found.labels == heart[1]).mean() > 0.99
    assert found.to_sitk().GetSize() == (130, 120, 4)
    for name in ("labels.nrrd", "labels.nii.gz"):
        found.save(tmp_path / name)
        np.testing.assert_array_equal(read_labels(tmp_path / name, read_stack(files["sax"])), found.labels)
