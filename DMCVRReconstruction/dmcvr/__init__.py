"""DMCVR: 3D hearts from sparse cine MR stacks by a morphology-guided diffusion model."""

__version__ = "0.1.0"
