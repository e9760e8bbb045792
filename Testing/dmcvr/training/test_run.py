"""Whole training runs of a tiny preset, in this process and in others that are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.model.networks.presets import PAPER
from dmcvr.training.generator import Generator
from dmcvr.training.run import PARTS, TrainingJob, resized, train
from dmcvr.training.segmenter import SegmenterTask
from dmcvr.training.slices import ARRAYS
from dmcvr.training.trainer import TrainingOptions
from safetensors.torch import load_file
from tiny import TINY_MEDFORMER

CPU = torch.device("cpu")
OPTIONS = TrainingOptions(
    steps=6,
    batch=4,
    learning_rate=2e-3,
    warmup=2,
    average=0.9,
    checkpoint_every=2,
    log_every=2,
    judge_every=3,
)
EACH = pytest.mark.parametrize("part", PARTS)


def nothing(entry: dict) -> None:
    """For runs whose log is of no interest."""


def start(part, preset, hearts, folder, options=OPTIONS, log=nothing, held_out=None, **more) -> Path:
    return train(TrainingJob(part, preset, **more), hearts, held_out, options, folder, CPU, log)


@pytest.fixture(scope="session")
def paper_like(tiny):
    """The tiny preset with the paper's kind of code, schedule and normalisation, in its own pixels."""
    return replace(
        tiny,
        name="paper-like",
        image_size=64,
        spacing_mm=None,
        segmenter=TINY_MEDFORMER,
        denoiser=replace(
            tiny.denoiser,
            multipliers=(1, 1, 1, 1, 2, 2),
            encoder_blocks=(1,) * 6,
            decoder_blocks=(2,) * 6,
            morphology="bottleneck",
            morphology_channels=TINY_MEDFORMER.features,
            residual_resample=True,
        ),
        schedule="linear-beta",
        prediction="epsilon",
    )


@pytest.mark.slow
@EACH
def test_a_run_cut_off_half_way_and_resumed_ends_bit_for_bit_the_same(part, tiny, hearts, tmp_path):
    def stop(entry: dict) -> None:
        # The log comes before the checkpoint of its step, so this falls between checkpoints.
        if entry.get("step") == 4:
            raise RuntimeError("power cut")

    whole = start(part, tiny, hearts, tmp_path / "whole")
    with pytest.raises(RuntimeError, match="power cut"):
        start(part, tiny, hearts, tmp_path / "killed", log=stop)
    assert not (tmp_path / "killed" / f"{part}.safetensors").exists()
    entries = []
    resumed = start(part, tiny, hearts, tmp_path / "killed", log=entries.append)
    assert entries[0] == {"resumed_at": 2}
    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.slow
@EACH
def test_a_short_run_lowers_the_loss(part, tiny, hearts, tmp_path):
    entries = []
    options = replace(
        OPTIONS, steps=40, log_every=10, learning_rate=8e-3, checkpoint_every=40, judge_every=40
    )
    path = start(part, tiny, hearts, tmp_path, options, entries.append)
    losses = [entry["loss"] for entry in entries if "loss" in entry]
    assert losses[-1] < 0.85 * losses[0]
    assert path == tmp_path / f"{part}.safetensors"
    weights = load_file(path)
    TrainingJob(part, tiny).task(hearts, None).build().load_state_dict(weights)
    assert all(value.isfinite().all() for value in weights.values())


@pytest.mark.slow
@EACH
def test_a_run_scores_itself_on_what_was_kept_apart(part, tiny, hearts, tmp_path):
    entries = []
    start(part, tiny, hearts, tmp_path, log=entries.append, held_out=hearts)
    scores = [entry for entry in entries if any(name.startswith("held out") for name in entry)]
    assert [entry["step"] for entry in scores] == [3, 6]
    dice = ["Dice LVC", "Dice LVM", "Dice RVC"]
    names = {"segmenter": dice, "generator": ["PSNR dB"]}[part]
    assert [list(entry) for entry in scores] == [["step", *(f"held out {name}" for name in names)]] * 2
    assert len(list((tmp_path / "samples").iterdir())) == 2


@pytest.mark.slow
def test_scores_do_not_change_what_is_trained(tiny, hearts, tmp_path):
    silent = start("segmenter", tiny, hearts, tmp_path / "a", replace(OPTIONS, judge_every=6))
    judged = start("segmenter", tiny, hearts, tmp_path / "b", held_out=hearts)
    assert load_file(silent).keys() == load_file(judged).keys()
    assert all(torch.equal(value, load_file(judged)[name]) for name, value in load_file(silent).items())


def test_dice_of_the_scores_is_in_3d_and_a_mean_over_stacks(tiny, hearts):
    """Against a network that answers the truth of the first stack, and nothing in the second."""
    task = SegmenterTask(hearts, hearts, tiny)
    _, truth = task.windows(hearts, torch.arange(6))
    answer = torch.where((hearts.stacks == 0)[:, None, None], truth, 0).long()

    def network(images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(answer, 4).movedim(-1, 1).float()

    assert task.scores(network) == {"Dice LVC": 0.5, "Dice LVM": 0.5, "Dice RVC": 0.5}


@pytest.mark.slow
def test_the_generator_of_the_papers_kind_is_trained_on_the_segmenters_features(paper_like, hearts, tmp_path):
    segmenter = start("segmenter", paper_like, hearts, tmp_path / "segmenter")
    job = TrainingJob("generator", paper_like, segmenter=segmenter)
    path = train(job, hearts, hearts, OPTIONS, tmp_path / "generator", CPU, nothing)
    weights = load_file(path)
    fresh = Generator(paper_like).state_dict()
    assert weights.keys() == fresh.keys()
    with pytest.raises(InputError, match="--segmenter"):
        start("generator", paper_like, hearts, tmp_path / "none")
    with pytest.raises(InputError, match="do not fit"):
        start("generator", paper_like, hearts, tmp_path / "none", segmenter=path)
    with pytest.raises(InputError, match="own pixels"):
        start("segmenter", paper_like, hearts, tmp_path / "none", size=32)


@pytest.mark.slow
def test_the_papers_own_preset_takes_a_step(hearts, tmp_path):
    """Its segmenter at full size: the generator of 174 million parameters is left to those with the time."""
    options = replace(OPTIONS, steps=1, batch=1)
    weights = load_file(start("segmenter", PAPER, hearts, tmp_path, options))
    assert sum(value.numel() for name, value in weights.items() if "running" not in name) > 19e6


@pytest.mark.slow
def test_diffae_is_trained_without_a_morphology_code(tiny, hearts, tmp_path):
    diffae = replace(tiny, denoiser=replace(tiny.denoiser, morphology=None, morphology_channels=0))
    entries = []
    weights = load_file(start("generator", diffae, hearts, tmp_path, log=entries.append, held_out=hearts))
    assert not any(".maps." in name for name in weights)
    assert any("held out PSNR dB" in entry for entry in entries)


def test_a_folder_with_another_runs_checkpoint_is_refused(tiny, hearts, tmp_path):
    options = replace(OPTIONS, steps=1)
    start("generator", tiny, hearts, tmp_path, options)
    for part, more in (
        ("segmenter", {}),
        ("generator", {"size": 16}),
    ):
        with pytest.raises(InputError, match="choose another folder"):
            start(part, tiny, hearts, tmp_path, options, **more)


@pytest.mark.slow
def test_training_starts_from_given_weights(tiny, hearts, tmp_path):
    first = start("generator", tiny, hearts, tmp_path / "a", replace(OPTIONS, steps=1), size=16)
    still = replace(OPTIONS, steps=1, learning_rate=0.0)
    second = start("generator", tiny, hearts, tmp_path / "b", still, init=first)
    for name, value in load_file(second).items():
        torch.testing.assert_close(value, load_file(first)[name])


@pytest.mark.slow
def test_weights_of_another_part_or_no_weights_are_no_start(tiny, hearts, tmp_path):
    options = replace(OPTIONS, steps=1)
    other = start("segmenter", tiny, hearts, tmp_path / "a", options)
    garbled = tmp_path / "garbled"
    garbled.write_bytes(b"no weights")
    for init in (other, garbled, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="start from"):
            start("generator", tiny, hearts, tmp_path / "b", options, init=init)


@pytest.mark.parametrize(("part", "size"), [("segmenter", 44), ("generator", 17)])
def test_a_size_the_network_cannot_take_is_refused(part, size, tiny, hearts, tmp_path):
    with pytest.raises(InputError, match="multiple"):
        start(part, tiny, hearts, tmp_path, size=size)


@pytest.mark.parametrize("size", [16, 32])
def test_smaller_views_show_the_same_window(tiny, hearts, size):
    """The part of a view that is heart does not depend on its size."""
    torch.manual_seed(0)
    images, labels = TrainingJob("generator", tiny, size).task(hearts, None).draw(64)
    assert images.shape == (64, 1, size, size)
    window = (tiny.image_size * tiny.spacing_mm / 1.5) ** 2
    want = float((hearts.labels > 0).sum()) / len(hearts) / window
    assert float((labels > 0).float().mean()) == pytest.approx(want, rel=0.1)
    assert resized(tiny, size).spacing_mm * size == tiny.spacing_mm * tiny.image_size


def kill_after_a_checkpoint(command: list[str], environment: dict, folder: Path) -> None:
    """Start a run and kill it without warning once it has written another checkpoint."""
    path = folder / "checkpoint.safetensors"
    before = path.stat().st_mtime_ns if path.exists() else 0
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (path.exists() and path.stat().st_mtime_ns > before):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def prepared(hearts, tmp_path_factory):
    """The small hearts as ``dmcvr train data`` would leave them."""
    folder = tmp_path_factory.mktemp("prepared") / "train"
    folder.mkdir()
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(hearts, name).numpy())
    (folder / "stacks.json").write_text(json.dumps({"names": hearts.names}))
    return folder.parent


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(part: str, prepared: Path, output: Path, *more) -> list[str]:
    words = (part, "--prepared", prepared, "--output", output, "--size", 32, "--batch", 4, *more)
    return ["-m", "dmcvr", "train", *map(str, words)]


@pytest.mark.slow
def test_a_process_killed_twice_and_started_again_ends_bit_for_bit_the_same(prepared, tmp_path):
    long = ("--steps", 24, "--checkpoint-every", 7)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run = [sys.executable, *command("segmenter", prepared, killed, *long)]
    for _ in range(2):
        kill_after_a_checkpoint(run, ENVIRONMENT, killed)
    subprocess.run(run, env=ENVIRONMENT, check=True, capture_output=True)
    other = [sys.executable, *command("segmenter", prepared, whole, *long)]
    subprocess.run(other, env=ENVIRONMENT, check=True, capture_output=True)
    name = "segmenter.safetensors"
    assert (killed / name).read_bytes() == (whole / name).read_bytes()


def launched(*words: str) -> subprocess.CompletedProcess:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [sys.executable, *torchrun, *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
@EACH
def test_two_processes_train_one_network(part, prepared, tmp_path):
    """Started by torchrun over gloo: one log, one set of files, and on resuming the same weights."""
    few = ("--steps", 4, "--checkpoint-every", 2)
    done = launched(*command(part, prepared, tmp_path / "two", *few))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert json.loads(lines[0])["step"] == 4
    assert lines[-1] == f"Weights: {tmp_path / 'two' / part}.safetensors"
    assert len(lines) == (3 if part == "segmenter" else 2)
    again = launched(*command(part, prepared, tmp_path / "again", *few))
    assert again.returncode == 0
    name = f"{part}.safetensors"
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
