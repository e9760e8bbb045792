"""Hearts of a statistical shape model, scanned as cine MR, with exact truth."""

from .hearts import HeldBackHearts, training_hearts
from .model import ShapeModel, read_shape_model
from .scan import ScannedHeart, scan_heart

__all__ = [
    "HeldBackHearts",
    "ScannedHeart",
    "ShapeModel",
    "read_shape_model",
    "scan_heart",
    "training_hearts",
]
