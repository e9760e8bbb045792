"""The part of the panel on the result: measurements, warnings, and the long-axis comparison."""

from __future__ import annotations

import numpy as np
import qt
import slicer
from dmcvr.core.errors import InputError
from slicer.i18n import tr as _

from ..comparison.lax_comparison import LaxComparison
from ..scene.result_nodes import ResultNodes, resultOf
from .edit_watch import EditWatch
from .export_panel import ExportPanel
from .phases_panel import PhasesPanel
from .result_notes import registerNote, resultNotes
from .wall_panel import WallPanel


class ResultPanel:
    """Shows one result. ui: the panel's widgets. compare: creates the comparison of a result's volume.
    onMeasured: called when its measurements have followed an edit.
    """

    def __init__(self, ui, compare, onMeasured):
        self._ui, self._compare = ui, compare
        self._nodes: ResultNodes | None = None
        self._comparison: LaxComparison | None = None
        self._observed: tuple | None = None
        self._phases = PhasesPanel(ui, self._leaveComparison)
        self._export = ExportPanel(ui)
        self._wall = WallPanel(ui)
        self._edits = EditWatch(lambda: (self._wall.resume(), onMeasured()))
        ui.registerButton.connect("toggled(bool)", self._onRegister)
        ui.chartButton.connect("clicked(bool)", self._onChart)
        ui.compareButton.connect("toggled(bool)", self._onCompare)
        ui.fadeSlider.connect("valueChanged(int)", self._onFade)
        self.show(None)

    def show(self, volumeNode) -> None:
        """Show the result that ``volumeNode`` is part of, or none."""
        nodes = resultOf(volumeNode)
        if self._comparison is not None and (nodes is None or nodes.volume is not self._nodes.volume):
            self.leave()
        self._nodes = nodes
        self._observe(nodes if self._comparison is not None else None)
        self._ui.resultCollapsibleButton.enabled = nodes is not None
        self._ui.chartButton.visible = nodes is not None and nodes.chart is not None
        self._phases.show(nodes)
        self._export.show(nodes)
        self._wall.show(nodes)
        self._edits.observe(nodes)
        texts = resultNotes(nodes) if nodes is not None else []
        self._ui.warningLabel.text = "\n".join(texts)
        self._ui.warningLabel.visible = bool(texts)
        self._showRegister()
        self._fillMeasurements()
        self._showComparison()

    def leave(self) -> None:
        """End the comparison, or the phases side by side, and restore the user's layout."""
        self._phases.leave()
        self._leaveComparison()

    def release(self) -> None:
        """Let go of the result, which is going to be replaced or removed."""
        self.leave()
        self._edits.observe(None)
        self._wall.stop()

    def _leaveComparison(self) -> None:
        self._observe(None)
        if self._comparison is not None:
            self._comparison.leave()
            self._comparison = None
        self._ui.compareButton.checked = False
        self._ui.registerButton.checked = False
        self._showComparison()

    def _observe(self, nodes: ResultNodes | None) -> None:
        if self._observed is not None:
            browserNode, tag = self._observed
            browserNode.RemoveObserver(tag)
            self._observed = None
        if nodes is not None and nodes.browser is not None:
            self._observed = nodes.browser, nodes.browser.AddObserver("ModifiedEvent", self._onFrame)

    def _onFrame(self, caller=None, event=None) -> None:
        if self._comparison is not None:
            self._comparison.update()
            self._fillScores()

    def _showRegister(self) -> None:
        note = registerNote(self._nodes.record) if self._nodes is not None else ""
        self._ui.registerLabel.text = note
        self._ui.registerLabel.visible = bool(note)
        self._ui.registerButton.visible = bool(note)

    def _onRegister(self, checked: bool) -> None:
        """Show the slices before or after they were put in register, on the long-axis views."""
        if checked and self._comparison is None:
            self._ui.compareButton.checked = True
        if self._comparison is not None:
            self._comparison.setInRegister(not checked)

    def _onChart(self, checked=False) -> None:
        self.leave()
        layoutNode = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        layoutNode.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView)
        for viewNode in slicer.util.getNodesByClass("vtkMRMLPlotViewNode"):
            viewNode.SetPlotChartNodeID(self._nodes.chart.GetID())

    def _onCompare(self, checked: bool) -> None:
        if not checked:
            self.leave()
            return
        if self._comparison is not None:
            return
        self._phases.leave()
        try:
            with slicer.util.tryWithErrorDisplay(_("The comparison cannot be shown.")):
                self._comparison = self._compare(self._nodes.volume)
                self._comparison.enter()
        except InputError as error:
            self._comparison = None
            self._ui.compareButton.checked = False
            self._ui.viewsLabel.text = str(error)
            return
        self._observe(self._nodes)
        self._comparison.setFade(self._ui.fadeSlider.value / 100)
        self._showComparison()

    def _onFade(self, value: int) -> None:
        if self._comparison is not None:
            self._comparison.setFade(value / 100)

    def _showComparison(self) -> None:
        comparison = self._comparison
        for name in ("fadeLabel", "fadeSlider", "fadeEndLabel", "viewsLabel"):
            getattr(self._ui, name).visible = comparison is not None
        if comparison is not None:
            texts = [
                f"{view}: {image}" if image else _("{view}: plane from the anatomy").format(view=view)
                for view, image in comparison.views.items()
            ]
            self._ui.viewsLabel.text = "; ".join(texts) + "."
        self._fillScores()

    def _fillScores(self) -> None:
        scores = self._comparison.scores() if self._comparison is not None else []
        rows = [
            (score.view, score.structure, f"{score.dice:.3f}", _number(score.distance)) for score in scores
        ]
        titles = [_("View"), _("Structure"), _("Dice"), _("Distance (mm)")]
        fillWidget(self._ui.scoresTable, titles, rows)
        self._ui.scoresTable.visible = bool(rows)

    def _fillMeasurements(self) -> None:
        rows, titles = [], []
        if self._nodes is not None:
            table = self._nodes.table
            columns = range(table.GetNumberOfColumns())
            titles = [table.GetColumnName(column) for column in columns]
            rows = [
                tuple(table.GetCellText(row, column) for column in columns)
                for row in range(table.GetNumberOfRows())
            ]
        fillWidget(self._ui.measurementsTable, titles, rows)
        self._ui.measurementsTable.visible = bool(rows)


def fillWidget(tableWidget, titles: list[str], rows: list[tuple[str, ...]]) -> None:
    """Show ``rows`` of text in a QTableWidget, which becomes as high as they are and no wider than it is."""
    tableWidget.clear()
    tableWidget.setRowCount(len(rows))
    tableWidget.setColumnCount(len(titles))
    tableWidget.setHorizontalHeaderLabels(titles)
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            tableWidget.setItem(row, column, qt.QTableWidgetItem(text))
    tableWidget.verticalHeader().setVisible(False)
    if titles:
        header = tableWidget.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
    tableWidget.resizeRowsToContents()
    # Rows may have more than one line; the header is about as high as one of a single line.
    heights = [tableWidget.rowHeight(row) for row in range(len(rows))]
    tableWidget.setFixedHeight(sum(heights) + min(heights, default=0) + 8)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1f}"
