"""How the stand-in for parameter nodes reads and writes widgets; only for those that the panel uses."""

from __future__ import annotations

import enum

from PySide6 import QtWidgets

from .qt import NodeComboBox


def prepareWidget(widget, kind) -> None:
    """Give a choice among the members of an enumeration their labels."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        widget.clear()
        for member in kind:
            widget.addItem(member.label(), member)


def readWidget(widget):
    """The value that the user sees."""
    if isinstance(widget, NodeComboBox):
        return widget.currentNode()
    if isinstance(widget, QtWidgets.QComboBox):
        return QtWidgets.QComboBox.currentData(widget)
    if isinstance(widget, QtWidgets.QCheckBox):
        return widget.isChecked()
    if isinstance(widget, QtWidgets.QLineEdit):
        return widget.text
    return widget.value


def writeWidget(widget, value) -> None:
    """Show ``value``."""
    if isinstance(widget, NodeComboBox):
        widget.setCurrentNode(value)
    elif isinstance(widget, QtWidgets.QComboBox):
        widget.setCurrentIndex([*type(value)].index(value))
    elif isinstance(widget, QtWidgets.QCheckBox):
        widget.setChecked(value)
    elif isinstance(widget, QtWidgets.QLineEdit):
        if widget.text != value:
            widget.text = value
    else:
        widget.value = value


def whenChanged(widget, call):
    """Call ``call`` whenever the user changes the widget; returns what ends that."""
    for name in ("currentNodeChanged", "currentIndexChanged", "toggled", "textChanged", "valueChanged"):
        if hasattr(widget, name):
            signal = getattr(widget, name)
            break
    slot = lambda *_: call()  # noqa: E731
    signal.connect(slot)
    return lambda: signal.disconnect(slot)
