"""Hearts made by formula, scanned as cine MR, with exact truth."""

from .config import CONDITIONS, PhantomConfig, random_config
from .examination import Examination
from .phantom import Phantom, make_phantom

__all__ = ["CONDITIONS", "Examination", "Phantom", "PhantomConfig", "make_phantom", "random_config"]
