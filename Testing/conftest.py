"""Fixtures for all suites."""

import pytest
from dmcvr.model.networks.presets import Preset
from tiny import TINY


@pytest.fixture(scope="session")
def tiny() -> Preset:
    """The smallest model."""
    return TINY
