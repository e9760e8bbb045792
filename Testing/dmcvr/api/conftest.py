"""A reconstruction that takes no time."""

import dmcvr
import pytest


@pytest.fixture(scope="session")
def quick():
    """Options of a method that needs no model where labels are given."""
    return {"method": "linear", "spacing": 5.0}


@pytest.fixture(scope="session")
def drawn(heart, quick):
    """The reconstruction of a stack with drawn labels, which needs no model."""
    stack, labels = heart
    return dmcvr.reconstruct(stack, labels=labels, **quick)
