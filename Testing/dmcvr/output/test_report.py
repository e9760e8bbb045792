"""The report: what its pictures show, and that its page is whole, closed in itself and tells no secrets."""

import base64
import io
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from dmcvr.alignment.shifts import SliceShifts
from dmcvr.anatomy.cuts import cut_stack, outlines, outlines_on_plane
from dmcvr.anatomy.function import clinical_numbers
from dmcvr.anatomy.segments17 import SEGMENTS
from dmcvr.core.geometry import Grid, Plane
from dmcvr.core.intensity import grey_limits
from dmcvr.core.labels import COLOURS, LVC, LVM, RVC
from dmcvr.core.stack import Stack
from dmcvr.io.account import LeftOut
from dmcvr.io.inputs import Input
from dmcvr.output.pictures import picture, png
from dmcvr.output.record import CycleRecord, ModelRecord, make_record
from dmcvr.output.report import ReportData, write_report
from dmcvr.output.report.bulls_eye import DARK, LIGHT, NOT_KNOWN, UNKNOWN, bulls_eye
from dmcvr.output.report.chart import Series, volume_chart
from dmcvr.output.report.page import page as report_page
from dmcvr.output.report.summary import Level, function, lights
from dmcvr.output.report.view_rows import choose_slices
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.result import Reconstruction
from PIL import Image

STEP, GAP = 2.0, 8.0
EVERY = 4
SHIFTS = SliceShifts(
    np.array([[0.0, 0], [1.25, -2.5], [0, 0], [0, 0], [-1.25, 2.5], [0, 0], [0, 0]]), None, "lax"
)


def heart(scale, shape=(25, 48, 56)):
    """Labels (Z, Y, X) at 2 mm: half an ellipsoid whose apex is at the last slice, the RV at smaller x."""
    z, y, x = (STEP * axis for axis in np.indices(shape))

    def part(radius, length, middle):
        return (z / length) ** 2 + ((y - 48) / radius) ** 2 + ((x - middle) / radius) ** 2 < 1

    labels = np.zeros(shape, np.uint8)
    labels[part(26 * scale, 40, 36)] = RVC
    labels[part(30, 46, 64)] = LVM
    labels[part(20 * scale, 40, 64)] = LVC
    return labels


@pytest.fixture(scope="module")
def data():
    labels = np.stack([heart(1.0), heart(0.9), heart(0.7), heart(0.85)])
    rng = np.random.default_rng(0)
    volume = (80.0 * (labels % 2) + 40 + 5 * rng.random(labels.shape)).astype(np.float32)
    x, y, z = STEP * np.eye(3)
    grid = Grid(np.array([-30.0, 10.0, 50.0]), x, y, z, labels.shape[1:])
    origins = np.array([grid.position(np.array([k, 0, 0])) for k in range(0, 25, EVERY)])
    stack = Stack(volume[:, ::EVERY], origins, x, y)
    # The four-chamber plane of this heart is 20 degrees from the x axis; a real one lies close to that.
    across = np.array([np.cos(0.3), np.sin(0.3), 0])
    corner = grid.position(np.array([10, 24, 32])) - 60 * across - 60 * z / STEP
    lax = Stack(rng.random((8, 1, 60, 60)).astype(np.float32), corner[None], 2 * across, z)
    volumes = [{"LVC": v, "LVM": 90.0, "RVC": v + 10} for v in (120.0, 100.0, 60.0, 80.0)]
    acquired = tuple(z // EVERY if z % EVERY == 0 else None for z in range(25))
    result = Reconstruction(
        volume, labels, None, grid, acquired, stack, labels[:, ::EVERY], SHIFTS, (0, 1, 2, 3),
        tuple(frame["LVC"] for frame in volumes), {"segment": 1.25},
        ("Slices 3 & 4 are <far> apart.",),
    )  # fmt: skip
    given = Input(stack, left_out=(LeftOut("image", 24, "phase or velocity, not magnitude"),))
    record = replace(
        make_record(result, Options(), None, ("cd" * 32, None), given, result.seconds),
        model=ModelRecord("compact", "CC BY-NC-SA 4.0", "ab" * 32),
        volumes=volumes,
        stack_volumes=[{name: value * 1.1 for name, value in frame.items()} for frame in volumes],
    )
    return ReportData(volume, labels, grid, stack, labels[:, ::EVERY], acquired, record, (lax,))


class Page(HTMLParser):
    """Collects elements and text; asserts that tags nest."""

    VOID = frozenset({"meta", "img", "br", "source"})

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "svg"} & {*self.open} and data.strip():
            self.text += " ".join(data.split()) + " "

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def written(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, data)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(written):
    return Page(written)


def test_what_was_left_out_of_the_input_is_told(written):
    assert "Left out of the input Phase or velocity, not magnitude 24 images" in Page(written).text


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


def test_what_is_unknown_is_left_out(data, tmp_path):
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
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "No left ventricle was found" in page.text
    for absent in ("Warnings", "licensed", "Model", "Steps", "jection fraction", "The beat", "None"):
        assert absent not in page.text
    assert page.all("polyline") == []
    assert "7 acquired, 18 generated" in page.text


def test_one_frame_has_volumes_but_no_function():
    numbers = clinical_numbers([{"LVC": 100.0, "LVM": 80.0, "RVC": 110.0}], ed=7, es=None)
    assert numbers["LV cavity, ml"] == 100
    assert numbers["LV mass, g"] == pytest.approx(84)
    assert not any("fraction" in name for name in numbers)


@pytest.mark.slow
def test_report_needs_neither_torch_nor_matplotlib():
    code = "import dmcvr.output.report, sys; sys.exit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_stack_cut_takes_the_nearest_slice_at_its_own_place(data):
    values = np.arange(1.0, 8)[:, None, None] * np.ones((7, 10, 10))
    values[:, :, 5:] += 100
    origins = np.array([[0, 0, GAP * k] for k in range(7)], float)
    origins[3, 0] = 4.0  # displaced by two pixels
    stack = Stack(values[None], origins, np.array([2.0, 0, 0]), np.array([0, 2.0, 0]))
    plane = Plane(np.array([0, 8.0, -8.0]), np.array([2.0, 0, 0]), np.array([0, 0, 1.0]), (66, 10))
    cut = cut_stack(stack, 0, plane, order=0)
    heights = np.arange(66) - 8
    inside = (heights >= -4) & (heights < 52)
    assert (cut[~inside] == 0).all()
    own = np.floor(heights[inside] / GAP + 0.5).astype(int)
    row = cut[inside]
    straight = own != 3
    np.testing.assert_array_equal(row[straight, 0], own[straight] + 1)
    np.testing.assert_array_equal(row[straight, 5], own[straight] + 101)
    np.testing.assert_array_equal(row[~straight][:, [0, 6, 7]], [[0, 4, 104]] * int((~straight).sum()))


def test_outlines_lie_on_the_boundary():
    rows, columns = np.indices((40, 40))
    radius = np.hypot(rows - 20, columns - 18)
    labels = np.where(radius < 8, LVC, np.where(radius < 12, LVM, 0)).astype(np.uint8)
    found = outlines(labels)
    assert found[RVC] == []
    for label, edge in ((LVC, 8), (LVM, 12)):
        (line,) = found[label]
        assert np.abs(np.hypot(*(line - [20, 18]).T) - edge).max() < 1
        np.testing.assert_array_equal(line[0], line[-1])


def test_outlines_on_an_oblique_plane():
    z, y, x = np.indices((40, 60, 60))
    ball = np.where(4 * (z - 20) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 < 20**2, RVC, 0).astype(np.uint8)
    grid = Grid(np.zeros(3), *np.diag([1.0, 1.0, 2.0]), ball.shape)
    plane = Plane(np.array([0.0, 6, 8]), np.array([1.0, 0, 0]), np.array([0, 0.6, 0.8]), (81, 61))
    (line,) = outlines_on_plane(ball, grid, plane)[RVC]
    assert np.abs(np.hypot(*(line - [40, 30]).T) - 20).max() < 1.2


def test_drawn_outline_follows_the_boundary():
    labels = np.zeros((30, 40), np.uint8)
    labels[10:20, 12:28] = RVC
    zoom = 4
    image = picture(np.zeros((30, 40)), (0, 1), zoom, outlines(labels))
    assert image.size == (160, 120)
    drawn = np.abs(np.asarray(image, int) - COLOURS[RVC]).sum(-1) < 60
    rows, columns = np.nonzero(drawn)
    # The edge between pixels 9 and 10 is at 10 * zoom in the enlarged picture, counted from its corner.
    assert abs(rows.min() - 10 * zoom) <= 2
    assert abs(rows.max() + 1 - 20 * zoom) <= 2
    assert abs(columns.min() - 12 * zoom) <= 2
    assert abs(columns.max() + 1 - 28 * zoom) <= 2
    assert not drawn[11 * zoom : 19 * zoom, 13 * zoom : 27 * zoom].any()


def test_grey_window():
    image = np.linspace(-50, 250, 301)[None]
    shown = np.asarray(picture(image, (0.0, 200.0)))
    assert shown[0, 0] == 0
    assert shown[0, -1] == 255
    assert abs(int(shown[0, 150]) - 127) <= 1
    assert grey_limits(np.zeros((3, 3))) == (0.0, 1.0)
    low, high = grey_limits(np.append(np.zeros(1000), np.arange(1, 1001)))
    assert low == pytest.approx(6, abs=1)
    assert high == pytest.approx(995, abs=1)


def test_png_keeps_grey_exact_and_colours_close():
    grey = np.arange(256, dtype=float).reshape(16, 16)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(picture(grey, (0, 255)))))), grey)
    colour = picture(grey, (0, 255), 3, {LVC: [np.array([[2, 2], [2, 12], [12, 12], [2, 2]])]})
    back = np.asarray(Image.open(io.BytesIO(png(colour))).convert("RGB"), int)
    assert np.abs(back - np.asarray(colour, int)).mean() < 4


def test_curve_reaches_top_and_bottom_where_the_volumes_do():
    left = Series("LV", "red", (100.0, 60.0, 20.0, 70.0))
    drawing = volume_chart([left, Series("RV", "blue", (50.0,) * 4)], {"ES": 2})
    line = drawing.lines[0].points[0]
    assert [len(item.points) for item in drawing.lines] == [1, 1]
    assert np.argmax(line[:, 1]) == 2  # down is larger
    slope = np.diff(line[:, 1]) / -np.diff([100, 60, 20, 70])
    np.testing.assert_allclose(slope, slope[0], rtol=0.01)
    assert drawing.marks == ((line[2, 0], "ES"),)


def test_curve_is_broken_where_a_volume_is_not_known():
    drawing = volume_chart([Series("LV", "red", (None, 60.0, 20.0, None, 70.0))])
    assert [len(points) for points in drawing.lines[0].points] == [2, 1]


def test_one_phase_of_a_cine_shows_function_and_curve_of_the_cine(data):
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
    page = Page(report_page(one))
    first = page.text.split("Long-axis views")[0]
    assert "LV RV Ejection fraction 60 50 %" in first
    assert "Volumes by disc summation over the acquired slices of all frames" in first
    assert len(page.all("polyline")) == 2
    assert "End-diastole" in first


def test_a_cine_is_shown_beating(data):
    eight = [0, 0, 1, 1, 2, 2, 3, 3]
    record = replace(
        data.record,
        volumes=[data.record.volumes[index] for index in eight],
        stack_volumes=[data.record.stack_volumes[index] for index in eight],
        frames=list(range(8)),
        input=replace(data.record.input, frames=8),
        es=4,
    )
    whole = replace(
        data,
        volume=data.volume[eight],
        labels=data.labels[eight],
        stack=data.stack.select(frames=eight),
        stack_labels=data.stack_labels[eight],
        record=record,
    )
    page = Page(report_page(whole))
    (moving,) = (attrs["src"] for attrs in page.all("img") if attrs["src"].startswith("data:image/webp"))
    (still,) = (attrs for attrs in page.all("source"))
    assert still["media"] == "(prefers-reduced-motion: reduce)"
    frames = [
        Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) for source in (moving, still["srcset"])
    ]
    # WebP joins frames that are alike.
    assert 4 <= frames[0].n_frames <= 8
    assert getattr(frames[1], "n_frames", 1) == 1
    assert frames[0].size == frames[1].size


def test_lights_tell_good_from_poor(data):
    def level(title, **changes):
        (light,) = (item for item in lights(replace(data.record, **changes), ends=0) if item.title == title)
        return light.level

    register = data.record.register
    assert level("Breath-hold shifts") is Level.GOOD
    assert level("Breath-hold shifts", register=replace(register, largest_mm=7.0)) is Level.LOOK
    assert level("Breath-hold shifts", register=replace(register, largest_mm=15.0)) is Level.POOR
    assert level("Breath-hold shifts", register=replace(register, source="none")) is Level.UNKNOWN
    assert level("Slices", input=replace(data.record.input, gaps_mm=[8.0, 17.7])) is Level.POOR
    assert level("Stroke volumes") is Level.GOOD
    odd = [{**frame, "RVC": 100.0} for frame in data.record.volumes]
    assert level("Stroke volumes", volumes=odd) is Level.POOR
    (ends,) = (item for item in lights(data.record, ends=4) if item.title == "Ends of the heart")
    assert (ends.level, ends.text[:4]) == (Level.LOOK, "8 mm")


def test_function_of_a_frame_of_unknown_phase_is_its_volume_alone(data):
    record = replace(data.record, ed=None, es=None, cycle=None)
    found = function(record)
    assert (found.left.volume_ml, found.left.ef_percent, found.right.volume_ml) == (120, None, 130)


def test_the_bulls_eye_has_each_segment_in_its_place():
    values = {name: float(number) for number, name in enumerate(SEGMENTS)}
    drawing = bulls_eye({**values, "apex": None}, "Wall", "mm", (0.0, 15.0))
    by_title = {sector.title.split(":")[0]: sector for sector in drawing.sectors}
    assert list(by_title) == list(SEGMENTS)
    assert by_title["basal anterior"].y < -70
    assert by_title["basal inferior"].y > 70
    assert by_title["mid inferoseptal"].x < 0 < by_title["mid inferoseptal"].y
    assert by_title["mid anterolateral"].x > 0 > by_title["mid anterolateral"].y
    assert by_title["apical septal"].x < -20
    apex = by_title["apex"]
    assert (apex.x, apex.y, apex.fill, apex.text) == (0, 0, UNKNOWN, NOT_KNOWN)
    assert (by_title["basal anterior"].text_colour, by_title["apical lateral"].text_colour) == (DARK, LIGHT)


def test_shown_slices_hold_all_acquired_ones():
    acquired = [z // 10 if z % 10 == 0 else None for z in range(101)]
    filled = np.zeros(101, bool)
    filled[13:78] = True
    chosen = choose_slices(acquired, filled, 30)
    assert chosen[0] == 10
    assert chosen[-1] == 80
    assert set(range(10, 81, 10)) <= set(chosen)
    assert len(chosen) <= 30
    assert np.diff(chosen).max() <= 4
    assert choose_slices([None] * 5, np.array([0, 1, 1, 1, 0], bool), 30) == [1, 2, 3]
    assert choose_slices([0], np.array([True]), 30) == [0]


def test_lax_frame_is_the_one_nearest_in_time(data):
    lax = data.lax[0]
    np.testing.assert_array_equal(data.lax_frame(lax, 2), lax.frames[4, 0])
    timed = replace(data, stack=replace(data.stack, times=np.array([0.0, 100, 200, 300])))
    slow = replace(lax, times=np.arange(8) * 60.0)
    np.testing.assert_array_equal(timed.lax_frame(slow, 2), lax.frames[3, 0])


def test_without_times_a_phase_alone_has_the_long_axis_image_of_its_place_in_the_cine(data):
    """Of frame 7 of 10, not of the first one."""
    lax, input_record = data.lax[0], replace(data.record.input, frames=10)
    alone = replace(
        data,
        stack=data.stack.select(frames=[2]),
        record=replace(data.record, frames=[7], input=input_record),
    )
    np.testing.assert_array_equal(alone.lax_frame(lax, 0), lax.frames[6, 0])
