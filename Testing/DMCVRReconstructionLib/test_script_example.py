"""The script in SLICER.md runs as it is printed, on a small cine and with the shipped model."""

import pytest
import slicer
from dmcvr.core.errors import CancelledError
from dmcvr.core.stack import stack_grid
from markdownfiles import ROOT, Document


@pytest.mark.slow
@pytest.mark.usefixtures("application", "temporary")
def test_the_script_does_what_its_comments_say(addCine, phantom):
    heart = phantom.sax.select(slices=slice(5, 9))
    addCine("SAX", heart.frames.round(), stack_grid(heart), heart.times)
    document = Document.read(ROOT / "Resources/Documentation/SLICER.md")
    (script,) = [code for language, code in document.blocks if language == "python"]
    names = {"slicer": slicer}
    exec(script, names)
    assert names["nodes"].record["frames"] == [1]  # the smallest cavity
    assert names["nodes"].volume.GetSpacing()[2] == pytest.approx(2.0)
    assert names["nodes"].segmentation.GetSegmentation().GetNumberOfSegments() == 3
    assert names["phases"].record["frames"] == [0, 1]
    assert names["phases"].record["ef"] > 0
    names["run"].cancel()
    with pytest.raises(CancelledError):
        names["run"].wait()
