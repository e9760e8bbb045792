"""What a training run tells while it runs: lines on the console, ``log.jsonl``, TensorBoard, and pictures."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Log = Callable[[dict], None]


class Journal:
    """The records of one run in ``folder``; use it as a context.

    ``log.jsonl`` holds one JSON object a line and ``samples/STEP.png`` the pictures. With TensorBoard
    installed, ``tensorboard/`` holds both for it. A run that is resumed at step ``first`` forgets what was
    recorded after it, so the records read as those of a run that was never stopped.
    """

    def __init__(self, folder: Path, first: int, log: Log):
        self.folder, self.log = folder, log
        self._forget_after(first)
        self._lines = (folder / "log.jsonl").open("a", encoding="utf-8")
        self._board = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(folder / "tensorboard", purge_step=first + 1, flush_secs=10)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception) -> None:
        self._lines.close()
        if self._board is not None:
            self._board.close()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Record numbers by name after ``step`` steps."""
        entry = {"step": step, **values}
        self._lines.write(json.dumps(entry) + "\n")
        self._lines.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
        self.log(entry)

    def picture(self, step: int, image: np.ndarray) -> None:
        """Record an image (H, W, 3) uint8."""
        samples = self.folder / "samples"
        samples.mkdir(exist_ok=True)
        Image.fromarray(image).save(samples / f"{step:07d}.png")
        if self._board is not None:
            self._board.add_image("samples", image, step, dataformats="HWC")

    def _forget_after(self, first: int) -> None:
        path = self.folder / "log.jsonl"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            # A line that was cut off by a kill has no end, and belongs to a step that is taken again.
            kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= first]
            path.write_text("".join(kept), encoding="utf-8")
        for picture in self.folder.glob("samples/*.png"):
            if int(picture.stem) > first:
                picture.unlink()
