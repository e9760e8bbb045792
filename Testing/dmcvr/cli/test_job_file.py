import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace

import numpy as np
import pytest
from dmcvr.cli.job_file import JOB_FILE, Job, read_job, read_line, write_job
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC
from dmcvr.core.stack import Stack, stack_grid
from dmcvr.evaluation.metrics import dice
from dmcvr.io.label_files import read_labels
from dmcvr.io.nrrd import write_segmentation, write_stack
from dmcvr.io.volumes import read_stack
from dmcvr.reconstruction.options import ModelChoice, Options
from dmcvr.system.untrusted import LARGEST_JSON


@pytest.fixture
def folder(tmp_path, heart):
    """A job on four slices with an expert's labels, which needs no network."""
    stack, labels = heart
    write_stack(tmp_path / "sax.nrrd", stack)
    write_segmentation(tmp_path / "drawn.seg.nrrd", labels[0], stack_grid(stack))
    write_job(tmp_path, Job("sax.nrrd", Options(method="shape", spacing=5.0), labels="drawn.seg.nrrd"))
    return tmp_path


def start(folder, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "dmcvr", "job", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def messages(out: str) -> list[dict]:
    return [message for line in out.splitlines() if (message := read_line(line)) is not None]


@pytest.mark.slow
def test_a_job_tells_how_far_it_is_and_leaves_the_result(folder):
    process = start(folder)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    lines = messages(out)
    assert lines[0] == {"stage": "load", "done": 0, "total": 1}
    assert {"stage": "generate", "done": 1, "total": 1} in lines
    record = json.loads((folder / "result" / "result.json").read_text())
    assert lines[-1]["result"] == record
    assert record["geometry"]["acquired"] == [0, None, 1, None, 2, None, 3]
    axis = record["long_axis"][0]
    assert abs(np.dot(axis["apex"], axis["rv"])) < 1e-5


@pytest.mark.slow
def test_a_segmentation_labels_the_frames_asked_for(tmp_path, cine):
    image = replace(cine.sax, origins=cine.sax.origins + [0.0, 0, 0.3] * (np.arange(13) == 5)[:, None])
    write_stack(tmp_path / "sax.nrrd", image)
    write_job(tmp_path, Job("sax.nrrd", Options(frame="both"), task="segment"))
    process = start(tmp_path)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    lines = messages(out)
    assert {"stage": "segment", "done": 39, "total": 39} in lines
    told = lines[-1]["result"]
    volumes = (cine.sax_labels == LVC).sum((1, 2, 3))
    assert told["frames"] == sorted({int(volumes.argmax()), int(volumes.argmin())})
    labels = read_labels(tmp_path / "result" / "labels.nrrd", image)
    assert labels.any((1, 2, 3)).nonzero()[0].tolist() == told["frames"]
    for frame in told["frames"]:
        assert dice(labels[frame] == LVC, cine.sax_labels[frame] == LVC) > 0.9


@pytest.mark.slow
def test_a_job_puts_slices_in_register_by_its_long_axis_images(tmp_path, cine):
    write_stack(tmp_path / "sax.nrrd", cine.sax.select(frames=[0]))
    write_stack(tmp_path / "drawn.nrrd", replace(cine.sax, frames=cine.sax_labels).select(frames=[0]))
    names = []
    for view, image in cine.lax.items():
        names.append(f"{view}.nrrd")
        write_stack(tmp_path / names[-1], image.select(frames=[0]))
    options = Options(method="nearest", spacing=5.0, align="lax")
    write_job(tmp_path, Job("sax.nrrd", options, labels="drawn.nrrd", lax=tuple(names)))
    out, _ = start(tmp_path).communicate(timeout=120)
    result = messages(out)[-1]["result"]
    assert result["register"]["source"] == "lax"
    assert any("put in register by the long-axis images" in text for text in result["warnings"])


@pytest.mark.slow
def test_bad_input_is_told_on_both_ways(folder):
    write_job(folder, Job("sax.nrrd", Options(method="shape", spacing=500.0), labels="drawn.seg.nrrd"))
    process = start(folder)
    out, err = process.communicate(timeout=60)
    last = messages(out)[-1]
    assert (process.returncode, last["kind"]) == (2, "input")
    assert "500 mm" in last["error"]
    assert err == f"dmcvr: {last['error']}\n"
    assert not (folder / "result").exists()


def test_a_cancelled_job_ends_at_once_and_leaves_no_result(folder):
    process = start(folder)
    assert read_line(process.stdout.readline())["stage"] == "load"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert messages(out)[-1]["kind"] == "cancelled"
    assert not (folder / "result").exists()


def test_a_job_nobody_listens_to_ends_and_removes_its_folder(folder):
    process = start(folder)
    process.stdout.close()
    assert process.wait(timeout=60) == 130
    assert not folder.exists()
    process.stderr.close()


@pytest.mark.slow
def test_lack_of_memory_is_told_with_what_to_do(folder):
    # 20 mm of slices every 0.02 mm are far more than the process may have.
    write_job(folder, Job("sax.nrrd", Options(method="shape", spacing=0.02), labels="drawn.seg.nrrd"))

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (420 * 2**20, 420 * 2**20))

    process = start(folder, preexec_fn=limit)
    out, _ = process.communicate(timeout=60)
    last = messages(out)[-1]
    assert (process.returncode, last["kind"]) == (1, "memory")
    assert "larger slice spacing" in last["error"]
    assert "Traceback" in last["detail"]


def test_a_job_comes_back_as_it_was_written(tmp_path):
    options = Options(
        method="diffae", spacing=2.5, frame=3, rule="paper", steps=4, stop_log_snr=2.0, order=1,
        label_rule="image", keep_acquired=False, extrapolate=False, align="lax", fit_cycle=False, samples=3,
        seed=9, optimisation_steps=7,
    )  # fmt: skip
    assert all(getattr(options, field.name) != field.default for field in fields(Options))
    model, lax = ModelChoice("folder", "cpu", "float32"), ("lax_0.nrrd", "lax_1.nrrd")
    job = Job("sax.nrrd", options, model, "drawn.nrrd", lax, "segment")
    write_job(tmp_path, job)
    assert read_job(tmp_path) == job


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no readable job.json"),
        ('{"format": 0, "input": "a.nrrd"}', "format 3"),
        ('{"format": 3, "input": "a.nrrd", "sharpen": 1}', "sharpen"),
        ('{"format": 3}', "no input"),
        ('{"format": 3, "input": "../a.nrrd"}', "own folder"),
        ('{"format": 3, "input": "\\ud800.nrrd"}', "own folder"),
        ('{"format": 3, "input": ".."}', "own folder"),
        ('{"format": 3, "input": ""}', "own folder"),
        ('{"format": 3, "input": "/etc/passwd"}', "own folder"),
        ('{"format": 3, "input": "a\\u0000.nrrd"}', "own folder"),
        ('{"format": 3, "input": "a.nrrd", "labels": "../a.nrrd"}', "own folder"),
        ('{"format": 3, "input": "a.nrrd", "labels": 3}', "own folder"),
        ('{"format": 3, "input": "a.nrrd", "lax": ["../a.nrrd"]}', "own folder"),
        ('{"format": 3, "input": "a.nrrd", "lax": "b.nrrd"}', "not a list"),
        ('{"format": 3, "input": "a.nrrd", "task": "erase"}', "task is unknown"),
        ('{"format": 3, "input": "a.nrrd", "options": 3}', "not a table"),
        ('{"format": 3, "input": "a.nrrd", "options": {"sharpen": 1}}', "sharpen"),
        ('{"format": 3, "input": "a.nrrd", "options": {"steps": "4"}}', "steps"),
        ('{"format": 3, "input": "a.nrrd", "options": {"method": "spline"}}', "no method"),
        ('{"format": 3, "input": "a.nrrd", "model": {"device": "tpu"}}', "no device"),
        ("[" * 100_000, "no readable job.json"),
        ('{"format": 3, "input": "a.nrrd", "labels": "' + "x" * LARGEST_JSON + '"}', "no readable job.json"),
    ],
    ids=lambda value: value[:50],
)
def test_a_job_file_that_makes_no_sense_is_refused(tmp_path, text, reason):
    (tmp_path / JOB_FILE).write_text(text)
    with pytest.raises(InputError, match=reason):
        read_job(tmp_path)


@pytest.mark.parametrize("link", ["sax.nrrd", "result"])
def test_a_link_does_not_lead_a_job_out_of_its_folder(folder, tmp_path_factory, link):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "mine").write_text("kept")
    (folder / "sax.nrrd").rename(elsewhere / "sax.nrrd")
    (folder / link).symlink_to(elsewhere / link if link == "sax.nrrd" else elsewhere)
    with pytest.raises(InputError, match="own folder"):
        read_job(folder)


def test_a_pipe_is_no_job_file(tmp_path):
    """Nobody writes to it: whoever read from it would wait for ever."""
    os.mkfifo(tmp_path / JOB_FILE)
    with pytest.raises(InputError, match=r"no readable job\.json"):
        read_job(tmp_path)


@pytest.mark.parametrize("text", ["", "a library's notice", "3", "[1]", '{"note": 1}'])
def test_other_output_is_no_message(text):
    assert read_line(text) is None


def test_a_stack_at_irregular_places_comes_back_to_the_last_digit(tmp_path):
    rng = np.random.default_rng(3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    places = np.array([0, 9.7, 21.3, 30.1])
    origins = [11.1, -7.3, 5.9] + places[:, None] * turn[2] + rng.normal(size=(4, 1)) * turn[0]
    frames = rng.integers(0, 900, (3, 4, 6, 8)).astype(np.float32)
    stack = Stack(frames, origins, 1.3 * turn[0], 1.4 * turn[1], np.array([0.0, 31.25, 60.5]))
    write_stack(tmp_path / "sax.nrrd", stack)
    back = read_stack(tmp_path / "sax.nrrd")
    np.testing.assert_array_equal(back.frames, frames)
    np.testing.assert_allclose(back.origins, origins, rtol=0, atol=1e-9)
    np.testing.assert_allclose([back.step_x, back.step_y], [stack.step_x, stack.step_y], atol=1e-9)
    np.testing.assert_allclose(back.times, stack.times)


def test_the_first_line_comes_before_anything_heavy_is_imported(folder):
    started = time.perf_counter()
    process = start(folder)
    process.stdout.readline()
    assert time.perf_counter() - started < 6
    process.send_signal(signal.SIGKILL)
    process.communicate()
