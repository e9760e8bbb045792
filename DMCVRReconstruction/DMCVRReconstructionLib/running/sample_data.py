"""The phantom in the Sample Data module."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from .phantom_sample import NAME, loadPhantom


def registerSampleData(thumbnail: str) -> None:
    """Add the phantom to the Sample Data module; it is computed, not downloaded. thumbnail: an image file."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=_("Cardiac"),
        sampleName=NAME,
        uris="",
        fileNames="",
        nodeNames=NAME,
        thumbnailFileName=thumbnail,
        customDownloader=_downloadPhantom,
    )


def _downloadPhantom(source) -> list:
    """What a click on the sample does; Slicer handles no errors of it. Returns the displayed volumes."""

    def processEvents() -> None:
        slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)

    with slicer.util.tryWithErrorDisplay(_("The sample data could not be loaded."), waitCursor=True):
        return loadPhantom(processEvents=processEvents)
