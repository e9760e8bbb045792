"""Views for the suites of this room."""

import pytest
from slicer_harness.views import Views


@pytest.fixture
def views(application):
    """Slicer's views, drawn offscreen."""
    views = Views(application, (900, 600))
    yield views
    views.close()
