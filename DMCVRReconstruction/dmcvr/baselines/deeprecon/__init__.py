"""A baseline in the style of DeepRecon (Chang et al., MICCAI 2022): slices as W+ codes of a generator.

Every acquired slice's code is optimised until the generator shows the slice and its labels (`optimisation`),
by a loss that training has too (`objective`). Codes of neighbouring slices are interpolated on the straight
line and decoded to image and labels. The original's code, losses and weights are not public.
"""
