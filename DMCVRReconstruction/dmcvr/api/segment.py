"""`dmcvr.segment`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.progress import Progress, no_progress
from ..reconstruction.options import ModelChoice, Options
from .given_model import given_model, model_choice
from .results import Segmentation

if TYPE_CHECKING:
    import os

    import numpy as np
    import SimpleITK  # noqa: F401 (Source names it, and the API's page looks it up here)

    from ..io.in_memory import Source
    from ..model.inference import Model

_MODEL = ModelChoice()


def segment(
    source: Source,
    *,
    affine: np.ndarray | None = None,
    model: str | os.PathLike[str] | Model | None = None,
    device: str = _MODEL.device,
    precision: str = _MODEL.precision,
    progress: Progress = no_progress,
) -> Segmentation:
    """Label LVC, LVM and RVC in the acquired slices of a short-axis (SAX) stack, in all of its frames.

    ```python
    dmcvr.segment("sax.nii.gz").save("labels.nrrd")
    ```

    All arguments are as of `reconstruct`. Raises `dmcvr.InputError` for sources that cannot be used, and for
    slices that lie at irregular places, which one image cannot hold.
    """
    import numpy as np

    from ..io.inputs import grid_of, read_input
    from ..reconstruction.stack_labels import label_slices

    choice = model_choice(model, device, precision)
    given = read_input(source, affine=affine)
    stack = given.stack
    grid = grid_of(source, stack, affine)
    labels, notes = label_slices(stack, given_model(model, choice, Options()), "all", progress)
    if grid.step_z @ stack.normal < 0:  # a left-handed source; a Stack is sorted the other way
        labels = np.ascontiguousarray(labels[:, ::-1])
    return Segmentation(labels, grid, stack.times, (*given.notes, *notes))
