import numpy as np
import pytest
from dmcvr.core.geometry import Grid, unit
from drawnhearts import APEX, RV, ellipsoid_heart


@pytest.fixture(scope="session")
def tilted() -> tuple[np.ndarray, Grid]:
    """A heart in 3D whose slices are not quite at right angles to its long axis."""
    return ellipsoid_heart(unit(APEX + 0.15 * RV))
