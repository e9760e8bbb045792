"""Long-axis images as the backend takes them: in the coordinates of the stack, its frames for frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from dmcvr.core.frame_times import nearest_frame
from dmcvr.core.geometry import Plane
from dmcvr.core.stack import Stack
from dmcvr.io.crossing import crossing_fault

from ..scene.image_series import Series
from ..scene.stack_input import StackInput
from ..scene.volume_nodes import transformPlane, transformToWorld


class Image(Protocol):
    """A long-axis image: its frames, the plane of its one slice in the world, LPS mm, and the node shown."""

    @property
    def series(self) -> Series: ...
    @property
    def plane(self) -> Plane: ...
    @property
    def node(self): ...


def laxStacks(images: Iterable[Image], found: StackInput, frame: int | None) -> list[Stack]:
    """Those of ``images`` that cross the stack ``found``, each a stack of one slice, of the image's own type:
    making it float32 takes time that the window need not wait for.

    frame: of the stack, whose nearest in time is taken of each image; None for all frames of each.
    """
    toStack = np.linalg.inv(transformToWorld(found.transformNode))
    geometry, times = found.withoutImage(), found.series[0].times
    stacks = []
    for image in images:
        series, plane = image.series, transformPlane(image.plane, toStack)
        wanted = list(range(series.count))
        if frame is not None:
            when = None if times is None else float(times[frame])
            wanted = [nearest_frame(series.count, series.times, when, frame / found.frameCount)]
        frames = np.stack([series.frame(index) for index in wanted])
        shown = None if series.times is None or len(wanted) < 2 else series.times[wanted]
        stack = Stack(frames, plane.origin[None], plane.step_x, plane.step_y, shown)
        if crossing_fault(stack, geometry) is None:
            stacks.append(stack)
    return stacks
