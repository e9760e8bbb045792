"""Makes the README's pictures: ``python Testing/screenshots.py``, in a few minutes.

The panel is the module's own, run on the stand-ins of ``slicer_harness``; the views are drawn by Slicer's own
displayable managers. What is reconstructed is the phantom, by the shipped model in the real process.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from PySide6 import QtCore
from slicer_harness import modules, qt

qt.install()
modules.install()

from slicer_harness.application import Application
from slicer_harness.panel import Panel
from slicer_harness.views import Views

FOLDER = Path(__file__).resolve().parent.parent / "Resources" / "Screenshots"
SIZE = (1200, 800)
WAIT_SECONDS = 1800


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER)
    parser.add_argument("--method", default="dmcvr")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    from DMCVRReconstructionLib.parameters import Frame, Method
    from DMCVRReconstructionLib.phantomsample import loadPhantom

    # Estimates of the time as on a machine where nothing ran before.
    QtCore.QSettings.setPath(QtCore.QSettings.NativeFormat, QtCore.QSettings.UserScope, tempfile.mkdtemp())
    application = Application()
    views = Views(application, SIZE)
    stack = loadPhantom(frames=2)[0]
    panel = Panel()
    panel.widget._parameterNode.inputNode = stack
    panel.widget._parameterNode.frame = Frame.current
    panel.widget._parameterNode.method = Method(options.method)
    panel.until(lambda: "Looking" not in panel.ui.deviceLabel.text)
    panel.photograph(options.output / "panel.png")
    panel.ui.runButton.click()
    run = panel.widget.runControl
    panel.until(lambda: run.run is None or (run.run.stage == "generate" and run.run.done > 5), WAIT_SECONDS)
    panel.photograph(options.output / "running.png")
    panel.until(lambda: not run.isRunning, WAIT_SECONDS)
    panel.ui.compareButton.click()
    panel.photograph(options.output / "result.png")
    views.turn(35, 15, 1.6)
    views.save(options.output / "comparison.png")
    panel.close()
    views.close()
    application.close()


if __name__ == "__main__":
    main()
