"""Real Dask clusters of real processes, some of them killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import dask
import psutil
import pytest
from dmcvr.cohort import clusters
from dmcvr.cohort.clusters import Place, available_cores, connected, graphics_cards, worker_options
from dmcvr.cohort.engine import run_on
from dmcvr.cohort.leftovers import remove_leftovers
from dmcvr.cohort.records import RECORD, read_record
from dmcvr.core.errors import InputError
from dmcvr.system.ownership import LISTED

CASES = 10
QUICK = ("--method", "linear", "--spacing", "4", "--expert-labels")


@pytest.fixture
def stacks(tmp_path, add_stack):
    for number in range(CASES):
        add_stack(tmp_path / "in", f"c{number}", row=36 + number)
    return tmp_path / "in"


@pytest.fixture
def start(tmp_path, stacks):
    """Starts the command over the stacks in a process of its own."""

    def run(workers):
        command = [sys.executable, "-m", "dmcvr", "cohort", stacks, "--output", tmp_path / "out", *QUICK]
        command += ["--keep", "labels", "--workers", workers, "--device", "cpu", "--json"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    return run


def workers(driver):
    """The processes in which cases are done."""
    below = psutil.Process(driver.pid).children(recursive=True)
    return [process for process in below if "spawn_main" in " ".join(process.cmdline())]


def records(output):
    return {path.parent.name: read_record(path.parent) for path in output.rglob(RECORD)}


def times(output):
    return {path.parent.name: path.stat().st_mtime_ns for path in output.rglob(RECORD)}


def temporary(output):
    return [path for path in output.rglob(".*") if path.name != LISTED]


@pytest.mark.slow
def test_a_driver_is_killed_and_then_a_worker(start, tmp_path):
    output = tmp_path / "out"
    with start(workers=1) as driver:
        assert json.loads(driver.stdout.readline())["status"] == "done"
        left = workers(driver)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        _, alive = psutil.wait_procs(left, timeout=20)
    assert left
    assert not alive
    before = times(output)
    assert 1 <= len(before) < CASES

    with start(workers=2) as driver:
        lines = []
        while not lines or lines[-1]["status"] == "skipped":
            lines.append(json.loads(driver.stdout.readline()))
        workers(driver)[0].kill()
        out, err = driver.communicate(timeout=120)
    lines += [json.loads(line) for line in out.splitlines()]
    assert (driver.returncode, err) == (0, "")
    assert lines.pop() == {"output": str(output), "cases": CASES, "failed": 0}
    assert sorted(line["case"] for line in lines) == [f"c{number}" for number in range(CASES)]
    assert {line["case"] for line in lines if line["status"] == "skipped"} >= set(before)
    assert {record["status"] for record in records(output).values()} == {"done"}
    assert len(records(output)) == CASES
    assert before.items() <= times(output).items()
    assert temporary(output) == []
    assert (output / "cohort.parquet").exists()


class Killer(threading.Thread):
    """Kills the worker of this process's cluster whenever it is at a case of the given name."""

    def __init__(self, output, name):
        super().__init__(daemon=True)
        self.output, self.name_of_case = output, name
        self.killed = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.002):
            if any(self.output.glob(f"cases/*/.dmcvr-*/{self.name_of_case}")):
                for process in psutil.Process().children(recursive=True):
                    if "spawn_main" in " ".join(process.cmdline()):
                        process.kill()
                        process.wait()
                        self.killed += 1
                remove_leftovers(self.output)


@pytest.mark.slow
def test_a_case_that_kills_its_workers_is_recorded_and_the_rest_goes_on(
    stacks, add_stack, found, settings, monkeypatch
):
    """With more cases than may be under way, so that the window is filled again and again."""
    monkeypatch.setitem(clusters.DASK, "distributed.scheduler.allowed-failures", 0)
    add_stack(stacks, "b_deadly", slices=40)
    cases = [
        case
        for case in found(stacks, expert_labels=True)
        if case.name in ("b_deadly", "c0", "c1", "c2", "c3")
    ]
    outcomes, drawn = {}, []

    def one_by_one():
        for case in cases:
            drawn.append(case.name)
            assert len(drawn) - len(outcomes) <= 3
            yield case

    killer = Killer(settings.output, "b_deadly")
    with connected(Place(workers=1, use_gpus=False)) as client:
        killer.start()
        run_on(client, one_by_one(), settings, lambda one: outcomes.update({one.name: one}), window=3)
        killer.ended.set()
        killer.join()
    assert killer.killed >= 1
    assert "worker died" in outcomes["b_deadly"].cause
    assert {name: outcome.status for name, outcome in outcomes.items()} == {
        "b_deadly": "failed",
        **dict.fromkeys(("c0", "c1", "c2", "c3"), "done"),
    }
    record = records(settings.output)["b_deadly"]
    assert (record["status"], record["error"]["kind"]) == ("failed", "worker")
    assert temporary(settings.output) == []


def of_worker(names: list[str]) -> tuple[dict, dict]:
    """These variables of a worker's environment, and its Dask configuration as far as DASK is about it."""
    return {name: os.environ.get(name) for name in names}, {
        key: dask.config.get(key) for key in clusters.DASK
    }


@pytest.mark.slow
def test_slurm_jobs_do_the_cases(tmp_path, stacks, found, settings, monkeypatch):
    """There is no SLURM here: its commands are stood in for by scripts that start and end processes. What is
    run is Dask's own job script.
    """
    programs = {
        # As the real one does, it reads the script before it returns: Dask removes it then.
        "sbatch": 'job=$(cat "$1")\nsh -c "$job" > /dev/null 2>&1 &\necho Submitted batch job $!',
        "scancel": 'kill "$1" 2> /dev/null || true',
    }
    for name, text in programs.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    cases, outcomes = found(stacks, expert_labels=True)[:2], []
    place = Place(slurm=1)
    with pytest.raises(InputError, match=r"jobqueue\.slurm"), connected(place):
        pytest.fail("nothing says what a job is to have")
    described = {
        "cores": 1,
        "memory": "2 GiB",
        "local-directory": str(tmp_path),
        "log-directory": None,
        "job-script-prologue": ["export OF_THE_SITE=kept"],
    }
    configured = dask.config.set({"jobqueue.slurm": dask.config.get("jobqueue.slurm") | described})
    with configured, connected(place) as client:
        run_on(client, cases, settings, outcomes.append)
        environment, known = client.submit(of_worker, [*clusters.MEMORY, "OF_THE_SITE"]).result()
    assert environment == {
        **{name: str(size) for name, size in clusters.MEMORY.items()},
        "OF_THE_SITE": "kept",
    }
    assert known == clusters.DASK
    assert {outcome.status for outcome in outcomes} == {"done"}
    assert len(outcomes) == 2


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and a worker that run already: the scheduler's process and address."""
    told = tmp_path / "scheduler.json"
    common = [sys.executable, "-m", "distributed.cli.dask_spec"]
    local = {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0", "scheduler_file": str(told)}
    spec = {"cls": "distributed.Scheduler", "opts": local}
    with subprocess.Popen([*common, "--spec", json.dumps(spec)], stderr=subprocess.DEVNULL) as scheduler:
        while not told.exists() or not told.read_text().endswith("}"):
            assert scheduler.poll() is None
            time.sleep(0.05)
        address = json.loads(told.read_text())["address"]
        spec = {"cls": "distributed.Worker", "opts": {"nthreads": 1, "local_directory": str(tmp_path)}}
        with subprocess.Popen(
            [*common, address, "--spec", json.dumps(spec)], stderr=subprocess.DEVNULL
        ) as worker:
            yield scheduler, address
            worker.kill()
        scheduler.kill()


@pytest.mark.slow
def test_a_running_cluster_whose_scheduler_is_then_lost(cluster, stacks, found, settings):
    scheduler, address = cluster
    outcomes = []

    def done(outcome):
        outcomes.append(outcome)
        if len(outcomes) == 2:
            scheduler.kill()

    lost = pytest.raises(InputError, match="scheduler was lost; run the same command again")
    with connected(Place(address)) as client, lost:
        run_on(client, found(stacks, expert_labels=True), settings, done)
    done_before = {outcome.name for outcome in outcomes if outcome.status == "done"}
    assert len(done_before) >= 2
    assert done_before <= {
        name for name, record in records(settings.output).items() if record["status"] == "done"
    }


@pytest.mark.slow
def test_workers_keep_freed_memory():
    """By variables that must be there before their process starts."""
    with connected(Place(workers=1, use_gpus=False)) as client:
        assert client.submit(os.environ.get, "MALLOC_TRIM_THRESHOLD_").result() == str(2**28)


def test_no_scheduler_answers(monkeypatch):
    monkeypatch.setattr("dmcvr.cohort.clusters.CONNECT_S", 0.5)
    with pytest.raises(InputError, match="No Dask scheduler answers"), connected(Place("tcp://127.0.0.1:9")):
        pytest.fail("there is nothing to connect to")


def test_no_slurm(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="sbatch"), connected(Place(slurm=2)):
        pytest.fail("there is nothing to run on")


def test_graphics_cards_that_may_be_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,MIG-abc")
    assert graphics_cards() == ["2", "MIG-abc"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert graphics_cards() == []
    assert available_cores() >= 1


def test_workers_share_cards_and_cores(monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(clusters, "available_cores", lambda: 16)
    environments = [worker_options(index, 4, ["2", "3"])["env"] for index in range(4)]
    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in environments] == ["2", "3", "2", "3"]
    assert {environment["OMP_NUM_THREADS"] for environment in environments} == {"4"}
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    without = worker_options(0, 4, [])["env"]
    assert without["OMP_NUM_THREADS"] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in without
