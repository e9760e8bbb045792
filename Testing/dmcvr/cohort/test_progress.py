import json
import time

from dmcvr.cohort.outcome import Outcome
from dmcvr.cohort.progress import CohortProgress


def test_skipped_cases_say_nothing_about_the_time_left():
    with CohortProgress(10, as_json=False) as progress:
        progress(Outcome("a", "skipped"))
        progress(Outcome("b", "skipped"))
        assert progress.state()["seconds_left"] is None
        assert progress.line() == "2 of 10 cases, 0 failed, 2 skipped"
        progress._started = time.monotonic() - 60
        progress(Outcome("c", "done", 1.0))
        progress(Outcome("d", "failed", cause="No heart.", recorded=False))
    state = progress.state()
    assert abs(state["seconds_left"] - 6 * 30) <= 1
    assert abs(state["cases_per_minute"] - 2) < 0.1
    assert progress.line().startswith("4 of 10 cases, 1 failed, 2 skipped, 2.0 a minute, 0 h 0")
    assert progress.unrecorded == 1


def test_json_lines(capsys):
    with CohortProgress(2, as_json=True) as progress:
        progress(Outcome("a", "done", 1.23456))
        progress(Outcome("b", "failed", cause="No heart."))
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["case"], first["status"], first["seconds"]) == ("a", "done", 1.235)
    assert (second["cause"], second["done"], second["total"], second["failed"]) == ("No heart.", 2, 2, 1)
    assert second["seconds_left"] == 0
