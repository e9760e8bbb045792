import re
from html.parser import HTMLParser

import numpy as np
import pytest
from dmcvr.cohort.histogram import histogram
from dmcvr.cohort.records import PICTURE
from dmcvr.cohort.summary import MOST_NAMES, MOST_PICTURES, Summary
from dmcvr.cohort.table import COLUMNS, rows
from dmcvr.cohort.work import run_case


def row(name, subject=None, **values):
    common = {"status": "done", "method": "linear", "version": "0.1.0", "flags": "", "seconds": 1.0}
    return (
        dict.fromkeys(COLUMNS) | common | {"name": name, "subject": subject or name, "folder": name} | values
    )


@pytest.fixture
def summary(tmp_path):
    return Summary(tmp_path)


def page(summary):
    """The page, after checking that every element is closed and nothing is loaded from elsewhere."""
    text = summary.page()
    opened = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "img", "br", "path", "rect"):
                opened.append(tag)
            for name, value in attributes:
                assert name not in ("src", "href") or value.startswith("data:image/jpeg;base64,")

        def handle_endtag(self, tag):
            if tag not in ("path", "rect"):
                assert opened.pop() == tag

    Balance().feed(text)
    assert opened == []
    return text


def test_failures_are_grouped_by_cause_whatever_their_numbers(summary):
    for number in range(MOST_NAMES + 3):
        cause = f"The slices are {number}.5 mm apart."
        summary.add(row(f"f{number:02d}", status="failed", cause=cause))
    summary.add(row("g", status="failed", cause="<b>No heart</b> was found."))
    text = page(summary)
    assert f"{MOST_NAMES + 3}: The slices are N mm apart." in text
    assert "and 3 more" in text
    assert "1: &lt;b&gt;No heart" in text


def test_each_subject_counts_once_in_the_distributions(summary):
    for name in ("a_ED", "a_ES", "b"):
        summary.add(row(name, name[0], edv_ml=100.0 if name[0] == "a" else 200.0))
    text = page(summary)
    assert "n = 2; quartiles 125, 150, 175 ml; 100 to 200" in text
    assert "Ejection fraction" not in text


def test_the_worst_come_first_and_are_bounded(summary, tmp_path):
    for number in range(MOST_PICTURES + 10):
        (tmp_path / f"c{number:02d}").mkdir()
        (tmp_path / f"c{number:02d}" / PICTURE).write_bytes(b"jpeg")
        summary.add(row(f"c{number:02d}", flags="few slices; warnings" if number == 20 else "few slices"))
    shown = re.findall(r"<figcaption>(c\d\d): ", page(summary))
    assert shown[0] == "c20"
    assert shown[1:] == [f"c{number:02d}" for number in range(MOST_PICTURES) if number != 20]


def test_results_of_several_kinds_are_warned_of(summary):
    summary.add(row("a"))
    assert "more than one way" not in page(summary)
    summary.add(row("b", method="nearest"))
    assert "more than one way" in page(summary)


def test_an_empty_cohort_has_a_page(summary):
    assert "0 done, 0 failed" in page(summary)


def test_real_records_with_their_pictures(pair, add_stack, found, settings):
    add_stack(pair, "b", bright=99.0)
    (pair / "c.nrrd").write_bytes(b"no image")
    for case in found(pair, expert_labels=True):
        run_case(case, settings)
    summary = Summary(settings.output)
    for item in rows(settings.output):
        summary.add(item)
    text = page(summary)
    assert "3 done, 1 failed" in text
    assert text.count("<img") == 3
    assert "cannot be read" in text
    assert "Doe" not in re.sub(r"base64,[^\"]*", "", text)


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0, 5.0], list(np.random.default_rng(1).normal(size=500))])
def test_bars_add_up_to_the_whole(values):
    drawn = histogram(values, "Title", "ml")
    heights = [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', drawn)]
    tallest = int(re.search(r'text-anchor="end">(\d+)<', drawn)[1])
    assert sum(heights) / max(heights) * tallest == pytest.approx(len(values), rel=0.01)
    assert f"n = {len(values)}" in drawn
