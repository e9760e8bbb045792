"""Symmetric demons between neighbouring slices: both are warped to the wanted position and blended."""

from __future__ import annotations

import numpy as np

from ..alignment.correspondence import Correspondences, warp_pair
from ..anatomy.distance_interpolation import apical_end, between, heart_areas
from ..anatomy.signed_distances import WHOLE_MM, labels_from_distances, nested_distances
from ..core.positions import bracket


def interpolate(frame, labels, positions, wanted, spacing):
    """See `protocol.Interpolate`. Labels are carried by warping each neighbour's nested distances."""
    alignment = Correspondences(frame, spacing)
    images = alignment.blend(frame, positions, wanted)
    distances = nested_distances(labels, spacing, WHOLE_MM)
    apex = apical_end(heart_areas(labels), positions)
    out = np.empty(images.shape, np.uint8)
    for z, (a, b, t) in enumerate(zip(*bracket(positions, wanted), strict=True)):
        out[z] = labels[a]
        if a != b:
            pair = distances[[a]], distances[[b]]
            carried = warp_pair(*pair, alignment.field(a)[None], np.array([t]))
            out[z] = labels_from_distances(between(carried[0][0], carried[1][0], t, apex))
    return images, out
