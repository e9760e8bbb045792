import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from dmcvr.cohort.records import PICTURE
from dmcvr.cohort.summary import MOST_NAMES, REPORT, Summary
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


class Page(HTMLParser):
    """Collects elements and text; asserts that tags nest, and that nothing is loaded from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.opened, self.elements, self.text = [], [], ""
        assert not re.search(r"https?:|url\(|@import|<script|<link|<iframe", text)
        self.feed(text)
        assert self.opened == []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "br"):
            self.opened.append(tag)
        self.elements.append((tag, dict(attributes)))
        for name, value in attributes:
            assert name != "src" or value.startswith("data:image/jpeg;base64,")

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag

    def handle_data(self, data):
        if data.strip() and "style" not in self.opened:
            self.text += " ".join(data.split()) + " "

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page(summary):
    return Page(summary.page())


def test_failures_are_grouped_by_cause_whatever_their_numbers(summary):
    for number in range(MOST_NAMES + 3):
        cause = f"The slices are {number}.5 mm apart."
        summary.add(row(f"f{number:02d}", status="failed", cause=cause))
    summary.add(row("g", status="failed", cause="<b>No heart</b> was found."))
    shown = page(summary)
    assert f"{MOST_NAMES + 3}: The slices are N mm apart." in shown.text
    assert "and 3 more" in shown.text
    assert "1: <b>No heart" in shown.text
    assert shown.all("b") == []


def test_each_subject_counts_once_in_the_distributions(summary):
    for name in ("a_ED", "a_ES", "b"):
        summary.add(row(name, name[0], edv_ml=100.0 if name[0] == "a" else 200.0))
    text = page(summary).text
    assert "n = 2; quartiles 125, 150, 175 ml; 100 to 200" in text
    assert "Ejection fraction of the LV" not in text


def test_a_subject_has_one_row_with_its_picture_numbers_flags_and_reports(summary, tmp_path):
    for name in ("a_ED", "a_ES"):
        folder = tmp_path / "cases" / "3f" / f"{name} #1"
        folder.mkdir(parents=True)
        (folder / PICTURE).write_bytes(b"jpeg")
        (folder / REPORT).write_text("report")
        summary.add(
            row(
                name, "a", phase=name[-2:], folder=f"cases/3f/{name} #1", rv_ef_percent=9.0, edv_ml=150.2,
                flags="RV EF low; few slices" if name == "a_ED" else "RV EF low",
            )
        )  # fmt: skip
    shown = page(summary)
    (link, second) = (a["href"] for a in shown.all("a"))
    assert (tmp_path / unquote(link)).read_text() == "report"
    assert link != second
    assert len(shown.all("img")) == 2
    assert "Subject EDV, ml" in shown.text
    assert "a ED: report ES: report 150 9 RV EF low few slices" in shown.text
    assert "RV EF low: 1 few slices: 1" in shown.text  # subjects, not cases


def test_the_most_striking_subjects_come_first(summary):
    for number in range(20):
        flags = {7: "RV EF low", 3: "few slices; warnings"}.get(number, "")
        summary.add(row(f"c{number:02d}", flags=flags))
    names = re.findall(r"\bc\d\d\b", page(summary).text.split("Flags")[1])
    unique = list(dict.fromkeys(names))
    assert unique[:3] == ["c07", "c03", "c00"]
    assert unique[3:] == [f"c{number:02d}" for number in range(1, 20) if number not in (3, 7)]


def test_outliers_are_named_in_the_plots_and_lead_to_their_rows(summary):
    for number in range(12):
        odd = number == 5
        summary.add(
            row(
                f"c{number:02d}", edv_ml=390.0 if odd else 120.0 + number, ef_percent=60.0,
                sv_ml=80.0, rv_sv_ml=10.0 if number == 8 else 78.0,
                flags="stroke volumes differ" if number == 8 else "",
            )
        )  # fmt: skip
    text = summary.page()
    shown = Page(text)
    first, second = re.findall(r'<figure class="plot">.*?</figure>', text, re.S)
    assert re.findall(r">(c\d\d)</text>", first) == ["c08", "c05"]
    assert re.findall(r">(c\d\d)</text>", second) == ["c08"]
    assert first.count("<circle cx") == second.count("<circle cx") == 12
    anchors = {attributes.get("id") for attributes in shown.all("tr")}
    assert {a["href"].removeprefix("#") for a in shown.all("a")} <= anchors


def test_results_of_several_kinds_are_warned_of(summary):
    summary.add(row("a"))
    summary.add(row("b", method="nearest"))
    assert "more than one way" in page(summary).text


def test_results_of_one_kind_are_not_warned_of(summary):
    summary.add(row("a"))
    assert "more than one way" not in page(summary).text


def test_an_empty_cohort_has_a_page(summary):
    assert "0 done, 0 failed" in page(summary).text


def test_real_records_with_their_pictures(pair, add_stack, found, settings):
    add_stack(pair, "b", bright=99.0)
    (pair / "c.nrrd").write_bytes(b"no image")
    for case in found(pair, expert_labels=True):
        run_case(case, settings)
    summary = Summary(settings.output)
    for item in rows(settings.output):
        summary.add(item)
    shown = page(summary)
    assert "3 done, 1 failed" in shown.text
    assert len(shown.all("img")) == 3
    assert "cannot be read" in shown.text
    assert "Doe" not in shown.text
