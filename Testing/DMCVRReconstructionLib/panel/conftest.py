"""The panel, for the suites of this room."""

import pytest
from slicer_harness.panel import Panel


@pytest.fixture
def panel(application, tmp_path):
    """The module's panel, open in an empty scene, with settings of its own."""
    from PySide6.QtCore import QSettings

    QSettings.setPath(QSettings.NativeFormat, QSettings.UserScope, str(tmp_path / "settings"))
    panel = Panel()
    yield panel
    panel.close()
