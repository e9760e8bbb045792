"""The methods DMCVR is measured against, behind the `protocol` of all methods."""

from __future__ import annotations

from . import registration, shape, weighted
from .protocol import FrameByFrame, Interpolate, Method

INTERPOLATIONS: dict[str, Interpolate] = {
    "nearest": weighted.nearest,
    "linear": weighted.linear,
    "bspline": weighted.bspline,
    "shape": shape.interpolate,
    "registration": registration.interpolate,
}
"""What each baseline does to one frame."""

BASELINES: dict[str, Method] = {name: FrameByFrame(rule) for name, rule in INTERPOLATIONS.items()}
