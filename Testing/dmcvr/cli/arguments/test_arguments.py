import json
import os
import resource
import signal
import subprocess
import sys

import pytest
from dmcvr import __version__
from dmcvr.cli.arguments.parser import build_parser
from dmcvr.cli.choices import chosen_model, chosen_options
from dmcvr.reconstruction.options import ModelChoice, Options

COMMANDS = (
    "reconstruct", "segment", "export-dicom", "job", "phantom", "demo", "cohort", "evaluate", "train", "info",
)  # fmt: skip
HEAVY = (
    "torch", "numpy", "scipy", "SimpleITK", "skimage", "pydicom", "nibabel", "nrrd", "tqdm", "distributed",
    "pyarrow",
)  # fmt: skip


def process(*arguments, **options):
    command = [sys.executable, "-m", "dmcvr", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def test_what_is_not_said_is_the_same_for_the_pipeline_a_cohort_and_the_command_line():
    for command in (
        ("reconstruct", "x", "--output", "y"),
        ("evaluate", "withheld", "--data", "x"),
        ("cohort", "x", "--output", "y"),
        ("demo",),
    ):
        given = build_parser().parse_args(command)
        assert chosen_options(given) == Options()
        assert chosen_model(given) == ModelChoice()


def test_what_is_said_reaches_the_options():
    words = ["--rule", "paper", "--steps", "7", "--stop", "2.5", "--label-rule", "image", "--regenerate"]
    words += ["--align", "lax", "--each-frame", "--no-extrapolation"]
    words += ["--method", "diffae", "--frame", "es", "--spacing", "3", "--seed", "9", "--uncertainty", "4"]
    words += ["--optimisation-steps", "8"]
    given = build_parser().parse_args(["reconstruct", "x", "--output", "y", *words, "--device", "cpu"])
    assert chosen_options(given) == Options(
        method="diffae", spacing=3.0, frame="es", rule="paper", steps=7, stop_log_snr=2.5,
        label_rule="image", keep_acquired=False, extrapolate=False, align="lax", fit_cycle=False, samples=4,
        seed=9, optimisation_steps=8,
    )  # fmt: skip
    assert chosen_model(given) == ModelChoice(device="cpu")


def test_help_imports_nothing_heavy_and_takes_no_time():
    program = (
        "import sys\n"
        "from dmcvr.cli import main\n"
        "try:\n main(['--help'])\n"
        "except SystemExit as end:\n assert end.code == 0\n"
        "print('loaded:', *(name for name in sys.argv[1:] if name in sys.modules))"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", program, *HEAVY], capture_output=True, text=True, check=True, timeout=60
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.endswith("loaded:\n")
    assert "research use only" in " ".join(done.stdout.split())
    # Processor time, which other work on the machine does not lengthen.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("train", "segmenter")])
def test_every_command_explains_itself(call, command):
    answer = call(*command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"usage: {' '.join(['dmcvr', *command])}" in answer.out


def test_version(call):
    assert call("--version").out == f"dmcvr {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("rebuild",),
        ("reconstruct",),
        ("reconstruct", "x.nrrd"),
        ("reconstruct", "x.nrrd", "--output", "out", "--frame", "diastole"),
        ("reconstruct", "x.nrrd", "--output", "out", "--method", "magic"),
        ("reconstruct", "x.nrrd", "--output", "out", "--steps", "0"),
        ("reconstruct", "x.nrrd", "--output", "out", "--steps", "many"),
        ("reconstruct", "x.nrrd", "--output", "out", "--spacing", "wide"),
        ("reconstruct", "x.nrrd", "--output", "out", "--seed", "-1"),
        ("reconstruct", "x.nrrd", "--output", "out", "--label-values", "1,2"),
        ("reconstruct", "x.nrrd", "--output", "out", "--label-values", "1,2,2"),
        ("reconstruct", "x.nrrd", "--output", "out", "--label-values", "0,1,2"),
        ("phantom", "--output", "out", "--frames", "0"),
        ("phantom", "--output", "out", "--seed", str(10**30)),
        ("train", "segmenter", "--output", "out", "--batch", "0"),
    ],
)
def test_bad_usage_is_one_line_and_nothing_written(refused, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    refused(*arguments)


def test_values_are_understood():
    parse = build_parser().parse_args
    options = parse(["reconstruct", "x", "--output", "y", "--frame", "ES", "--label-values", "3,2,1"])
    assert (options.frame, options.label_values) == ("es", (3, 2, 1))
    assert parse(["reconstruct", "x", "--output", "y", "--frame", "12"]).frame == 12


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_says_so_and_leaves_nothing(files, tmp_path, number):
    output = tmp_path / "new" / "out"
    with process("reconstruct", files["sax"], "--output", output, "--steps", 500, "--json") as run:
        first = json.loads(run.stdout.readline())
        assert list(tmp_path.iterdir())  # it is at work in its hidden folder
        run.send_signal(number)
        _, err = run.communicate(timeout=60)
    assert first["stage"] == "segment"
    assert run.returncode == 130
    assert err == "dmcvr: cancelled.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_real_process_succeeds_and_fails_with_its_exit_code(files, tmp_path):
    output = tmp_path / "out"
    with process("reconstruct", files["sax"], "--output", output, "--method", "shape", "--json") as run:
        out, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line.keys() for line in lines[:-1]] == [{"stage", "done", "total"}] * (len(lines) - 1)
    assert lines[-1]["output"] == str(output)
    assert lines[-1]["result"] == json.loads((output / "result.json").read_text())
    with process("segment", tmp_path / "missing.nrrd", "--output", tmp_path / "labels.nrrd") as run:
        out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (2, "")
    assert err == "dmcvr: The image file or folder does not exist; check the path.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
