import resource
import shutil
import threading
from dataclasses import replace
from functools import partial

import pytest
from dmcvr.cohort import work
from dmcvr.cohort.cases import Case
from dmcvr.cohort.records import case_folder, read_record
from dmcvr.cohort.work import load_once, run_case
from dmcvr.reconstruction.options import ModelChoice
from dmcvr.system.privatefolder import HELD
from dmcvr.system.staging import HIDDEN


def held(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("record", ["case.json", "preview.jpg"]),
        ("labels", ["case.json", "labels.nrrd", "preview.jpg"]),
        (
            "volumes",
            [
                "case.json",
                "labels.nrrd",
                "measurements.csv",
                "preview.jpg",
                "report.html",
                "segmentation.seg.nrrd",
                "volume.nrrd",
            ],
        ),
    ],
)
def test_what_is_kept(case, other, keep, expected):
    settings = other(keep=keep)
    assert run_case(case, settings).status == "done"
    assert held(case_folder(settings.output, case)) == expected
    assert run_case(case, settings).status == "skipped"


def test_a_case_that_is_redone_leaves_nothing_of_the_earlier_result(case, settings, other):
    run_case(case, other(keep="volumes"))
    assert run_case(case, other(seed=1)).status == "done"
    assert held(case_folder(settings.output, case)) == ["case.json", "preview.jpg"]


def test_a_bad_input_is_recorded_with_its_sentence(case, settings):
    case.path.write_bytes(case.path.read_bytes()[:300])
    outcome = run_case(case, settings)
    record = read_record(case_folder(settings.output, case))
    assert (outcome.status, record["status"], record["attempts"]) == ("failed", "failed", 1)
    assert record["error"]["kind"] == "input"
    assert record["error"]["message"] == outcome.cause
    assert "cannot be read" in outcome.cause
    assert record["result"] is None


def test_a_failure_takes_the_place_of_an_older_result_and_is_tried_again(case, settings, other):
    content = case.path.read_bytes()
    run_case(case, other(keep="volumes"))
    case.path.write_bytes(content[:300])
    run_case(case, settings)
    assert held(case_folder(settings.output, case)) == ["case.json"]
    case.path.write_bytes(content)
    assert run_case(case, settings).status == "done"


def test_results_stay_while_the_disk_of_the_inputs_is_away(case, settings):
    run_case(case, settings)
    shutil.rmtree(case.path.parent)
    outcome = run_case(case, settings)
    assert (outcome.status, outcome.recorded) == ("failed", False)
    assert "does not exist" in outcome.cause
    assert read_record(case_folder(settings.output, case))["status"] == "done"


@pytest.fixture
def full_disk():
    """Makes the system refuse to write files that are worth mentioning, until told to stop."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    free = partial(resource.setrlimit, resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    yield free
    free()


def test_a_transient_fault_is_tried_again(case, settings, monkeypatch, full_disk):
    monkeypatch.setattr(work, "FIRST_PAUSE_S", 1.0)
    timer = threading.Timer(0.7, full_disk)
    timer.start()
    outcome = run_case(case, settings)
    timer.join()
    assert outcome.status == "done"
    assert read_record(case_folder(settings.output, case))["attempts"] == 2


def test_what_cannot_be_recorded_is_told_and_leaves_nothing(case, settings, monkeypatch, full_disk):
    monkeypatch.setattr(work, "FIRST_PAUSE_S", 0.01)
    outcome = run_case(case, settings)
    assert (outcome.status, outcome.recorded) == ("failed", False)
    assert "disk is full" in outcome.cause
    full_disk()
    assert [path for path in settings.output.rglob("*") if not path.is_dir()] == []


def test_what_a_killed_process_left_in_a_case_goes_even_if_the_case_stands(case, settings):
    run_case(case, settings)
    folder = case_folder(settings.output, case)
    left = folder / f"{HIDDEN}dead"
    (left / "a_ED").mkdir(parents=True)
    (left / HELD).write_text("")
    assert run_case(case, settings).status == "skipped"
    assert held(folder) == ["case.json", "preview.jpg"]


def test_a_still_stack_gives_no_two_frames(case, settings):
    outcome = run_case(replace(case, of_cine=True, frame="es"), settings)
    assert outcome.status == "failed"
    assert "one frame only" in outcome.cause
    assert (case_folder(settings.output, case) / "preview.jpg").exists()


@pytest.mark.slow
def test_the_model_is_loaded_once(files, settings):
    load_once.cache_clear()
    for name, frame in (("a", 0), ("b", 1)):
        outcome = run_case(
            Case(name, name, files["cine"], frame=frame), replace(settings, model=ModelChoice(device="cpu"))
        )
        assert (outcome.status, outcome.cause) == ("done", "")
    assert (load_once.cache_info().misses, load_once.cache_info().hits) == (1, 1)
    record = read_record(case_folder(settings.output, Case("b", "b", files["cine"])))
    assert record["result"]["model"]["name"]


def test_two_threads_may_work_at_once(case, settings):
    threads = [
        threading.Thread(target=run_case, args=(replace(case, name=name), settings)) for name in ("x", "y")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [read_record(case_folder(settings.output, replace(case, name=name))) for name in ("x", "y")]
    assert [record["status"] for record in done] == ["done", "done"]
    volumes = [record["result"]["volumes"] for record in done]
    assert volumes[0] == volumes[1]
