"""A run's records, also as TensorBoard reads them."""

import json
import time

import numpy as np
import pytest
from dmcvr.training.journal import Journal
from PIL import Image


def nothing(entry: dict) -> None:
    """For journals nobody listens to."""


def picture(value: int) -> np.ndarray:
    return np.full((6, 8, 3), value, np.uint8)


def test_a_journal_tells_everyone_the_same(tmp_path):
    heard = []
    with Journal(tmp_path, 0, heard.append) as journal:
        journal.scalars(10, {"loss": 0.5})
        journal.picture(10, picture(200))
    assert heard == [{"step": 10, "loss": 0.5}]
    assert json.loads((tmp_path / "log.jsonl").read_text()) == heard[0]
    assert np.array(Image.open(tmp_path / "samples" / "0000010.png")).tolist() == picture(200).tolist()


def test_a_resumed_journal_forgets_what_came_after_its_checkpoint(tmp_path):
    with Journal(tmp_path, 0, nothing) as journal:
        for step in (10, 20, 30):
            journal.scalars(step, {"loss": step / 10})
            journal.picture(step, picture(step))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 40, "lo')  # cut off by a kill
    with Journal(tmp_path, 20, nothing) as journal:
        journal.scalars(30, {"loss": 7.0})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == [{"step": 10, "loss": 1.0}, {"step": 20, "loss": 2.0}, {"step": 30, "loss": 7.0}]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["0000010.png", "0000020.png"]


def test_tensorboard_reads_scalars_and_pictures_and_not_what_was_forgotten(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with Journal(tmp_path, 0, nothing) as journal:
        for step in (10, 20):
            journal.scalars(step, {"loss": step / 10, "held out Dice LVC": 0.9})
        journal.picture(10, picture(90))
    time.sleep(1.1)  # TensorBoard tells files apart by the second
    with Journal(tmp_path, 10, nothing) as journal:
        journal.scalars(20, {"loss": 7.0})
    board = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [(event.step, event.value) for event in board.Scalars("loss")] == [(10, 1.0), (20, 7.0)]
    assert board.Scalars("held out Dice LVC")[0].value == pytest.approx(0.9)
    (image,) = board.Images("samples")
    assert (image.step, image.width, image.height) == (10, 8, 6)
