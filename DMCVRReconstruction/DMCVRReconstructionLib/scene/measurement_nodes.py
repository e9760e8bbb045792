"""Volumes, function and mass as a table, and the volumes over the cycle as a chart."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from dmcvr.anatomy.function import clinical_numbers
from dmcvr.core.labels import COLOURS, NAMES
from slicer.i18n import tr as _

CURVE = ("LVC", "RVC")


def fillTable(tableNode, record: dict) -> None:
    """Fill ``tableNode`` with the volumes and function in ``record``, the contents of result.json."""
    phases = record["ed"], record["es"]
    ours = clinical_numbers(record["volumes"], *phases)
    theirs = clinical_numbers(record["stack_volumes"], *phases)
    titles = [title.rsplit(", ", 1) for title in ours]
    tableNode.RemoveAllColumns()
    tableNode.SetUseColumnTitleAsColumnHeader(True)
    _addColumn(tableNode, _("Quantity"), [quantity for quantity, _unit in titles])
    _addColumn(tableNode, _("Result"), [f"{value:.1f}" for value in ours.values()])
    _addColumn(tableNode, _("Acquired"), [f"{theirs[t]:.1f}" if t in theirs else "" for t in ours])
    _addColumn(tableNode, _("Unit"), [unit for _quantity, unit in titles])
    tableNode.Modified()


def fillCurve(tableNode, record: dict, times: np.ndarray | None) -> None:
    """Fill ``tableNode`` with the volumes in every frame. times: (T,) ms, None to number the frames."""
    index = np.arange(len(record["volumes"])) if times is None else np.asarray(times)
    columns = [index.astype(float)]
    columns += [np.array([frame[name] for frame in record["volumes"]]) for name in NAMES.values()]
    first = _("Frame") if times is None else _("Time (ms)")
    tableNode.RemoveAllColumns()
    slicer.util.updateTableFromArray(
        tableNode, columns, [first, *(f"{name} (ml)" for name in NAMES.values())]
    )


def addChart(name: str, tableNode):
    """A chart of the cavities' volumes over the cycle, from the table of ``fillCurve``; and its series."""
    colours = {NAMES[label]: [value / 255 for value in colour] for label, colour in COLOURS.items()}
    chartNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    first = tableNode.GetColumnName(0)
    made = []
    for structure in CURVE:
        seriesNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", structure)
        seriesNode.SetAndObserveTableNodeID(tableNode.GetID())
        seriesNode.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        seriesNode.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        seriesNode.SetXColumnName(first)
        seriesNode.SetYColumnName(f"{structure} (ml)")
        seriesNode.SetColor(*colours[structure])
        chartNode.AddAndObservePlotSeriesNodeID(seriesNode.GetID())
        made.append(seriesNode)
    chartNode.SetTitle(_("Volumes over the cycle"))
    chartNode.SetXAxisTitle(first)
    chartNode.SetYAxisTitle(_("Volume (ml)"))
    return chartNode, made


def _addColumn(tableNode, title: str, values: list[str]) -> None:
    array = vtk.vtkStringArray()
    array.SetName(title)
    for value in values:
        array.InsertNextValue(value)
    tableNode.AddColumn(array)
