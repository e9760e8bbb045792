"""What rounding of positions may decide: nothing that shows in a volume."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.baselines import BASELINES
from dmcvr.reconstruction.pipeline import Options, reconstruct

pytestmark = pytest.mark.slow

ROUNDING_MM = 0.001
"""Half a unit of the last digit that DICOM writes of a position, doubled."""


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize(
    "spacing", [5.0, 4.0, 2.5]
)  # divide a gap of 10 mm at its middle; 4 by a tie as well
def test_rounding_of_positions_moves_no_volume(phantom, method, spacing):
    options = Options(method=method, spacing=spacing, frame=0)
    rng = np.random.default_rng(5)
    volumes = []
    for share in (0, 1, 1):
        moves = share * rng.uniform(-ROUNDING_MM, ROUNDING_MM, (len(phantom.sax.origins), 1))
        stack = replace(phantom.sax, origins=phantom.sax.origins + moves * phantom.sax.normal)
        result = reconstruct(stack, None, options, labels=phantom.sax_labels)
        volumes.append(list(result.volumes[0].values()))
    assert np.ptp(volumes, axis=0) == pytest.approx(0, abs=0.005 * np.min(volumes))


@pytest.mark.parametrize("method", BASELINES)
def test_half_way_is_no_bias(phantom, method):
    """Slices that fall on the middle of gaps change a volume little against ones that do not."""
    volumes = [
        list(
            reconstruct(
                phantom.sax, None, Options(method=method, spacing=spacing, frame=0), labels=phantom.sax_labels
            )
            .volumes[0]
            .values()
        )
        for spacing in (2.5, 10 / 3)
    ]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.03)
