"""That the page is whole, closed in itself and tells no secrets."""

import base64
import io
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from dmcvr.output.record import CycleRecord
from dmcvr.output.report import write_report
from dmcvr.output.report.page import page as report_page
from PIL import Image


@pytest.fixture(scope="module")
def written(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, data)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(written, parsed):
    return parsed(written)


def test_what_was_left_out_of_the_input_is_told(written, parsed):
    assert "Left out of the input Phase or velocity, not magnitude 24 images" in parsed(written).text


def test_page_loads_nothing(written, page):
    assert not re.search(r"https?:|url\(|@import|<script|<link|<iframe", written)
    assert page.all("img")
    assert all(attrs["src"].startswith("data:image/") for attrs in page.all("img"))
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert len(written) < 4e6


def test_every_picture_decodes_to_its_size_and_has_words(page):
    for attrs in page.all("img"):
        image = Image.open(io.BytesIO(base64.b64decode(attrs["src"].split(",")[1])))
        image.load()
        assert image.size == (int(attrs["width"]), int(attrs["height"]))
        assert len(attrs["alt"]) > 20


def test_page_shows_both_phases_and_the_real_image_in_its_row(page):
    assert page.text.count("Real image") == 2
    for view in ("Two-chamber", "Three-chamber", "Four-chamber"):
        shown = page.text.split(f"{view} view ")[1].split(" view ")[0].split("Slices from")[0]
        assert shown.index("End-diastole") < shown.index("End-systole")
        assert ("Real image" in shown) == (view == "Four-chamber")


def test_page_marks_every_acquired_slice(page):
    shown = [attrs for attrs in page.all("figure") if attrs.get("class") == "acquired"]
    assert len(shown) == page.text.count("acquired, slice") == 7
    assert page.text.index("acquired, slice 1 ") < page.text.index("acquired, slice 7 ")  # base first


def test_page_warns_and_names_use_and_licence(written, page):
    assert "Slices 3 & 4 are <far> apart." in page.text
    assert "<far>" not in written
    assert "For research use only." in page.text
    assert "CC BY-NC-SA 4.0" in page.text


def test_page_names_only_the_hash_of_the_input(written):
    assert "cd" * 32 in written
    assert "Doe^" not in written
    assert "someone" not in written


def test_volumes_stand_side_by_side(page):
    row = page.text.split("LV ejection fraction, % ")[1].split()[:3]
    assert row == ["50.0", "50.0", "+0.0"]
    row = page.text.split("LV end-diastolic volume, ml ")[1].split()[:3]
    assert row == ["120.0", "132.0", "-12.0"]


def test_the_summary_comes_first(page):
    first = page.text.split("Long-axis views")[0]
    assert "LV RV Ejection fraction 50 46 % End-diastolic volume 120 130 ml" in first
    assert "Stroke volume 60 60 ml" in first
    assert "Mass 94 g" in first
    assert "Breath-hold shifts: good. Largest 2.8 mm, taken back by long-axis images." in first
    assert page.text.index("Warnings") < page.text.index("Long-axis views")


def test_how_it_was_made_is_folded_away(page):
    closed = [attrs for attrs in page.all("details") if "open" not in attrs]
    assert len(closed) == len(page.all("details")) == 2
    assert page.text.index("How it was made") > page.text.index("Slices from base to apex")


def test_shifts_of_slices_are_listed(page):
    for words in ("long-axis images", "2.8 mm", "Slice 2", "+1.2, -2.5 mm"):
        assert words in page.text


def test_what_is_unknown_is_left_out(data, tmp_path, parsed):
    one = replace(
        data,
        volume=data.volume[:1],
        labels=np.zeros_like(data.labels[:1]),
        stack=data.stack.select(frames=[0]),
        stack_labels=np.zeros_like(data.stack_labels[:1]),
        record=replace(
            data.record,
            model=None,
            steps=None,
            warnings=[],
            ed=None,
            es=None,
            cycle=None,
            volumes=data.record.volumes[:1],
        ),
    )
    write_report(tmp_path / "report.html", one)
    page = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "No left ventricle was found" in page.text
    for absent in ("Warnings", "licensed", "Model", "Steps", "jection fraction", "The beat", "None"):
        assert absent not in page.text
    assert page.all("polyline") == []
    assert "7 acquired, 18 generated" in page.text


@pytest.mark.slow
def test_report_needs_neither_torch_nor_matplotlib():
    code = "import dmcvr.output.report, sys; sys.exit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_phase_of_a_cine_shows_function_and_curve_of_the_cine(data, parsed):
    cycle = CycleRecord(
        0, 2, 150.0, 60.0, 60.0, 160.0, 80.0, 50.0,
        [150.0, 100.0, 60.0, 120.0], [160.0, 110.0, 80.0, 130.0], True,
    )  # fmt: skip
    one = replace(
        data,
        volume=data.volume[:1],
        labels=data.labels[:1],
        stack=data.stack.select(frames=[0]),
        stack_labels=data.stack_labels[:1],
        record=replace(data.record, ed=0, es=None, volumes=data.record.volumes[:1], cycle=cycle),
    )
    page = parsed(report_page(one))
    first = page.text.split("Long-axis views")[0]
    assert "LV RV Ejection fraction 60 50 %" in first
    assert "Volumes by disc summation over the acquired slices of all frames" in first
    assert len(page.all("polyline")) == 2
    assert "End-diastole" in first
