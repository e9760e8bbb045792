import json

from dmcvr.cli.progress_bar import show_progress


def tell(progress):
    for stage in ("segment", "generate"):
        for done in (1, 3):
            progress(stage, done, 3)


def test_json_is_one_object_a_line(capfd):
    with show_progress(as_json=True) as progress:
        tell(progress)
    out, err = capfd.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [
        {"stage": stage, "done": done, "total": 3} for stage in ("segment", "generate") for done in (1, 3)
    ]
    assert err == ""


def test_without_a_terminal_there_is_no_bar(capfd):
    with show_progress(as_json=False) as progress:
        tell(progress)
    assert capfd.readouterr() == ("", "")


def test_in_a_terminal_each_stage_has_a_bar_that_fills(capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_progress(as_json=False) as progress:
        tell(progress)
    out, err = capfd.readouterr()
    assert out == ""
    for title in ("Segmenting", "Generating"):
        assert f"{title}: 100%" in err
