"""Walks through the tutorial of SLICER.md offscreen: the panel clicked, the real process, the views drawn.

    python Testing/walkthrough.py                           # the phantom, for that page's pictures
    python Testing/walkthrough.py --sax STACK --lax FILE ... --output DIR   # an examination of your own

STACK is a file, or a folder of DICOM files, whose slices then are a node each, as DICOM import leaves them.
The panel is the module's own, run on the stand-ins of ``slicer_harness``; the views are drawn by Slicer's own
displayable managers. Printed are the measurements, how soon the first progress came, and for how long at
most the window could not answer.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from PySide6 import QtCore
from slicer_harness import modules, qt

qt.install()
modules.install()

from dmcvr.io.inputs import read_input
from dmcvr.reconstruction.options import GENERATIVE
from DMCVRReconstructionLib.comparison.phase_layout import IN_3D, PHASES, phaseView
from slicer_harness.application import Application
from slicer_harness.loading import addStack
from slicer_harness.panel import Panel
from slicer_harness.views import Views

FOLDER = Path(__file__).resolve().parent.parent / "Resources" / "Screenshots"
SIZE = (1200, 800)
WAIT_SECONDS = 7200


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sax", type=Path)
    parser.add_argument("--lax", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path, default=FOLDER)
    parser.add_argument("--frame", default="both", choices=("current", "ed", "es", "both", "all"))
    parser.add_argument("--method", default="dmcvr")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    # Estimates of the time as on a machine where nothing ran before.
    QtCore.QSettings.setPath(QtCore.QSettings.NativeFormat, QtCore.QSettings.UserScope, tempfile.mkdtemp())
    application = Application()
    views = Views(application, SIZE)
    stack = load(options.sax, options.lax)
    panel = Panel()
    choose(panel, stack, options)
    panel.photograph(options.output / "panel.png")
    run(panel, panel.ui.segmentButton, "segment")
    print(panel.ui.slicesLabel.text)
    panel.photograph(options.output / "segmented.png")
    last = "generate" if options.method in GENERATIVE else "segment"
    # The picture is taken amid what takes longest.
    run(panel, panel.ui.runButton, last, options.output / "running.png")
    look(panel, views, options.output)
    edit(panel)
    panel.close()
    views.close()
    application.close()


def load(sax: Path | None, lax: list[Path]):
    """Put the examination, or the phantom, into the scene; the node to choose."""
    from DMCVRReconstructionLib.running.phantom_sample import loadPhantom

    if sax is None:
        return loadPhantom(frames=2)[0]
    given = read_input(sax, lax)
    stack, images, notes = given.stack, given.lax, given.notes
    print(*notes, sep="\n", end="\n" if notes else "")
    chosen = addStack("SAX", stack, apart=sax.is_dir())[0]
    names = [path.name.split(".")[0] for path in lax]
    for k, image in enumerate(images):
        addStack(names[k] if names else f"LAX {k + 1}", image)
    return chosen


def choose(panel: Panel, stack, options: argparse.Namespace) -> None:
    """Set the panel as its user would."""
    from DMCVRReconstructionLib.panel.parameter_node import Frame, Method

    parameters = panel.widget._parameterNode
    parameters.inputNode = stack
    parameters.frame = Frame(options.frame)
    parameters.method = Method(options.method)
    panel.until(lambda: "Looking" not in panel.ui.deviceLabel.text)
    print(panel.ui.inputLabel.text, panel.ui.deviceLabel.text)
    print("Long-axis images:", *(panel.ui.laxList.item(row).text() for row in range(panel.ui.laxList.count)))


def run(panel: Panel, button, stage: str, picture: Path | None = None) -> None:
    """Click, watch, and print how it went; photograph the panel amid ``stage``."""
    control = panel.widget.runControl
    started = time.monotonic()
    click = panel.until(lambda: control.isRunning, press=button)
    job = control.run
    loading = panel.until(lambda: job.isOver or job.stage != "load", WAIT_SECONDS)
    first = time.monotonic() - started
    panel.until(lambda: job.isOver or (job.stage == stage and job.done > 5), WAIT_SECONDS)
    if picture is not None:
        panel.photograph(picture)
    computing = panel.until(lambda: job.isOver or job.stage == "import", WAIT_SECONDS)
    importing = panel.until(lambda: not control.isRunning, WAIT_SECONDS)
    print(f"{button.text}: first progress after {first:.1f} s, done after {job.seconds:.0f} s.")
    for name, seconds in (
        ("on the click", click),
        ("while the job ran", max(loading, computing)),
        ("while its result came into the scene", importing),
    ):
        print(f"Main thread busy {name}: {1000 * seconds:.0f} ms at most.")
    if job.error is not None:
        raise SystemExit(str(job.error))


def look(panel: Panel, views: Views, folder: Path) -> None:
    """The result on the long-axis views, before and after slices were put in register, and both phases."""
    ui = panel.ui
    ui.compareButton.click()
    panel.photograph(folder / "result.png")
    views.turn(35, 15, 1.6)
    views.save(folder / "comparison.png")
    show(ui.scoresTable)
    print(ui.viewsLabel.text)
    if ui.registerButton.visible:
        print(ui.registerLabel.text)
        ui.registerButton.click()
        views.save(folder / "before.png")
    ui.compareButton.click()
    if ui.phasesButton.visible:
        ui.phasesButton.click()
        views.turn(35, 15, 1.6)
        views.save(folder / "phases.png")
        ui.phasesButton.click()
    measure_wall(panel)
    if ui.phasesButton.visible:
        ui.phasesButton.click()
        views.turn(35, 15, 1.6)
        views.save(folder / "wall.png", [phaseView(phase, IN_3D) for phase in PHASES])
        ui.phasesButton.click()
    show(ui.measurementsTable)
    if ui.warningLabel.visible:
        print(ui.warningLabel.text)


def measure_wall(panel: Panel) -> None:
    """Show the wall's thickness, and print what measuring it took."""
    ui = panel.ui
    starting = panel.until(lambda: ui.wallLabel.visible, press=ui.wallButton)
    measuring = panel.until(lambda: not ui.wallLabel.visible, WAIT_SECONDS)
    print(f"Main thread busy measuring the wall: {1000 * max(starting, measuring):.0f} ms at most.")


def edit(panel: Panel) -> None:
    """Erase the half of the displayed cavity that lies below its middle slice, and see the table follow."""
    from dmcvr.core.labels import LVC
    from DMCVRReconstructionLib.scene.edited_volumes import editedFrames
    from DMCVRReconstructionLib.scene.result_nodes import resultOf
    from DMCVRReconstructionLib.scene.segmentation_nodes import fillSegmentation, labelsOfSegmentation
    from DMCVRReconstructionLib.scene.volume_nodes import gridOfVolume

    nodes = resultOf(panel.widget._parameterNode.resultVolume)
    labels = labelsOfSegmentation(nodes.segmentation, nodes.volume)
    lower = labels[: len(labels) // 2]
    lower[lower == LVC] = 0
    fillSegmentation(nodes.segmentation, labels, gridOfVolume(nodes.volume), nodes.volume)
    measuring = panel.until(lambda: bool(editedFrames(nodes)), WAIT_SECONDS)
    panel.process(0.1)
    print("After half of the displayed cavity was erased:")
    show(panel.ui.measurementsTable)
    print(f"Main thread busy measuring anew: {1000 * measuring:.0f} ms at most.")


def show(table) -> None:
    """Print a table of the panel."""
    if table.visible:
        titles = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount)]
        print(*titles, sep="\t")
        for row in range(table.rowCount):
            print(*(table.item(row, column).text() for column in range(table.columnCount)), sep="\t")


if __name__ == "__main__":
    main()
