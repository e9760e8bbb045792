import json
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from dmcvr.evaluation.cases import DataFolder
from dmcvr.evaluation.methods import Comparison
from dmcvr.evaluation.summary import as_dict, markdown
from dmcvr.evaluation.withheld import withheld_tables
from dmcvr.model.bundle import DEFAULT_BUNDLE
from dmcvr.simulation.phantom import random_config
from dmcvr.simulation.shapemodel import hearts
from dmcvr.system.ownership import LISTED


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_stack, heart, phantom):
    """Two cases: four slices of the phantom, and the same half as bright."""
    folder = tmp_path_factory.mktemp("data")
    stack, labels = heart
    for name, image in (("p01_ED", stack.frames), ("p01_ES", stack.frames * 0.5)):
        write_stack(folder / f"{name}.nrrd", stack, image)
        write_stack(folder / f"{name}_gt.nrrd", stack, labels)
    return folder


def test_json_is_one_object_and_equals_what_the_function_gives(call, data):
    answer = call("evaluate", "withheld", "--data", data, "--methods", "shape,linear", "--json")
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    (expected,) = withheld_tables(DataFolder(data), None, Comparison(("shape", "linear")))
    assert record["tables"] == json.loads(json.dumps([as_dict(expected)]))
    assert (record["cases"], record["model"]) == (2, None)
    assert record["command"].startswith(f"dmcvr evaluate withheld --data {data.name} --label-values 1,2,3 ")
    assert str(data.parent) not in answer.out


@pytest.mark.slow
def test_files_hold_what_is_printed(call, data, tmp_path, model):
    output = tmp_path / "tables"
    arguments = ("evaluate", "segmentation", "--data", data, "--cases", "ED", "--precision", "float32")
    answer = call(*arguments, "--output", output)
    assert (answer.code, answer.err) == (0, "")
    assert (output / "segmentation.md").read_text() == answer.out
    record = json.loads((output / "segmentation.json").read_text())
    assert record["model"]["sha256"] == model.sha256
    assert record["cases"] == 1
    figures = ["segmentation-agreement-segmenter.png", "segmentation-boxes.png"]
    names = [LISTED, *figures, "segmentation.json", "segmentation.md"]
    assert sorted(path.name for path in output.iterdir()) == names
    assert sorted(record["figures"]) == figures
    for name in figures:
        assert f"![{name}]({name})\n\n{record['figures'][name]}" in answer.out
    assert f"`{record['command']}`" in answer.out
    assert model.sha256 in answer.out
    assert f"counted and not skipped: {record['empty_masks']}" in answer.out


@pytest.mark.slow
def test_withheld_slices_are_shown_and_how_they_were_generated_is_in_the_command(call, data, tmp_path):
    output = tmp_path / "tables"
    how = ("--methods", "linear,dmcvr", "--steps", "1", "--stop", "3", "--cases", "ED")
    answer = call("evaluate", "withheld", "--data", data, *how, "--output", output)
    assert (answer.code, answer.err) == (0, "")
    names = {path.name for path in output.glob("*.png")}
    assert names == {"withheld-boxes.png", "withheld-slices-best.png", "withheld-spectra.png"}
    assert "--methods linear,dmcvr --rule aligned --steps 1 --stop 3.0 --label-rule code " in answer.out


def test_without_matplotlib_tables_are_written_and_one_sentence_tells_how_to_get_figures(
    call, data, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    arguments = ("evaluate", "clinical", "--data", data, "--methods", "nearest")
    answer = call(*arguments, "--output", tmp_path / "tables")
    assert (answer.code, answer.err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        LISTED,
        "clinical.json",
        "clinical.md",
    ]
    assert answer.out.count('pip install "dmcvr[evaluate]"') == 1
    assert (tmp_path / "tables" / "clinical.md").read_text() == answer.out
    assert "matplotlib" not in call(*arguments).out


def test_tables_are_printed_where_a_figure_cannot_be_drawn(call, capfd, data, tmp_path, monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr("dmcvr.cli.commands.evaluate.write_drawings", fail)
    arguments = ("evaluate", "withheld", "--data", data, "--methods", "linear")
    with pytest.raises(ZeroDivisionError):
        call(*arguments, "--output", tmp_path / "tables")
    printed = capfd.readouterr().out
    assert "| 20 mm | linear |" in printed
    assert call(*arguments).out == printed
    assert not (tmp_path / "tables").exists()


@pytest.mark.slow
def test_a_second_run_leaves_no_figure_of_the_first(call, data, tmp_path):
    for method in ("nearest", "shape"):
        arguments = ("evaluate", "clinical", "--data", data, "--methods", method)
        answer = call(*arguments, "--output", tmp_path / "tables")
        assert f"| LV EF, % | {method} |" in answer.out
        names = {path.name for path in (tmp_path / "tables").iterdir()}
        assert names == {"clinical.json", "clinical.md", f"clinical-agreement-{method}.png", LISTED}


@pytest.fixture(scope="module")
def examination(tmp_path_factory, write_stack, cine):
    """Files of one patient: a cine, its labels, the 4-chamber image and contour points of frame 1."""
    folder = tmp_path_factory.mktemp("exam") / "Doe^Jane"
    inner = slice(4, 10)
    stack, view = cine.sax.select(slices=inner), cine.lax["4ch"]
    step = np.cross(view.step_x, view.step_y)
    thick = replace(
        view, frames=np.repeat(view.frames, 2, 1), origins=np.stack([view.origins[0], view.origins[0] + step])
    )
    plane = stack.plane(3)
    place = plane.origin + 60 * plane.step_y + 60 * plane.step_x
    lines = [
        "x\ty\tz\tcontour type\tframeID\tweight\ttime frame",
        "\t".join([*map(str, place), "SAX_LV_EPICARDIAL", "4", "1.0", "1"]),
    ]
    files = {
        "sax": write_stack(folder / "sax.nrrd", stack),
        "labels": write_stack(folder / "labels.nrrd", stack, cine.sax_labels[:, inner]),
        "lax": write_stack(folder / "lax.nrrd", thick),
        "contours": folder / "GPFile_001.txt",
    }
    files["contours"].write_text("\n".join(lines))
    return files


@pytest.mark.slow
def test_views(call, examination, tmp_path):
    answer = call(
        "evaluate",
        "views",
        examination["sax"],
        *("--lax", examination["lax"]),
        *("--labels", examination["labels"]),
        *("--contours", examination["contours"]),
        *("--frames", "ed,1", "--methods", "nearest,shape"),
        *("--output", tmp_path / "views"),
    )
    assert (answer.code, answer.err) == (0, "")
    record = json.loads((tmp_path / "views" / "views.json").read_text())
    assert [table["title"] for table in record["tables"]] == ["Volumes", "Contour points"]
    assert list(record["figures"]) == [
        f"views-frame{frame:03d}-{axis}-axis.png" for frame in (0, 1) for axis in ("long", "short")
    ]
    assert all((tmp_path / "views" / name).is_file() for name in record["figures"])
    assert record["figures"]["views-frame000-long-axis.png"].startswith("Frame 0 (ED): ")
    assert record["command"].startswith(
        "dmcvr evaluate views INPUT --lax FILES --labels FILES --contours FILES"
    )
    assert not any(word in answer.out for word in ("Doe", "sax.nrrd", "GPFile"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--frames", "all"), "one by one"),
        (("--frames", "7"), "no frame 7"),
        (("--contours", "nowhere.txt"), "does not exist"),
        (("--lax", "nowhere.nrrd"), "does not exist"),
    ],
)
def test_bad_views_are_refused(refused, examination, tmp_path, options, message):
    arguments = (examination["sax"], "--labels", examination["labels"], "--methods", "nearest")
    output = tmp_path / "new" / "views"
    assert message in refused("evaluate", "views", *arguments, "--output", output, *options)


def test_a_diffae_model_that_has_a_morphology_code_is_refused(refused, data):
    given = ("--diffae-model", DEFAULT_BUNDLE, "--steps", 1, "--methods", "diffae")
    assert "trained without it" in refused("evaluate", "generation", "--data", data, *given)


def test_generation(call, data):
    answer = call(
        "evaluate",
        "generation",
        "--data",
        data,
        "--cases",
        "ED",
        "--methods",
        "diffae",
        "--steps",
        1,
        "--json",
    )
    assert (answer.code, answer.err) == (0, "")
    (table,) = json.loads(answer.out)["tables"]
    assert {row["images"] for row in table["rows"]} == {"diffae"}


@pytest.mark.slow
def test_long_axis_prints_a_table_and_draws_an_example(call, tmp_path):
    arguments = ("evaluate", "long-axis", "--phantoms", 1, "--methods", "nearest")
    answer = call(*arguments, "--output", tmp_path / "tables")
    assert (answer.code, answer.err) == (0, "")
    assert "Command: `dmcvr evaluate long-axis --phantoms 1 --methods nearest " in answer.out
    assert "| all | nearest | 0.9" in answer.out
    assert "Cases: 1" in answer.out
    record = json.loads((tmp_path / "tables" / "long-axis.json").read_text())
    assert list(record["figures"]) == ["long-axis-boxes.png", "long-axis-views-best.png"]
    assert "Best of 1 cases (phantom1000), by mean Dice" in record["figures"]["long-axis-views-best.png"]


def test_long_axis_on_hearts_of_a_shape_model(call, refused, shape_model_folder, monkeypatch, tmp_path):
    coarse = partial(random_config, pixel_mm=4.0, matrix=(60, 70), lax_matrix=(50, 50), shift_sd_mm=0.0)
    monkeypatch.setattr(hearts, "random_config", coarse)
    arguments = ("evaluate", "long-axis", "--hearts", shape_model_folder, "--heart-count", 1)
    answer = call(*arguments, "--methods", "nearest,shape", "--json")
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    assert record["command"].startswith(
        f"dmcvr evaluate long-axis --hearts {shape_model_folder.name} --heart-count 1 --methods"
    )
    assert "phantoms" not in record["command"]
    (table,) = record["tables"]
    assert {row["case"] for row in table["rows"]} == {"subject01"}
    dice = {
        (line["structure"], line["method"]): line["scores"]["average"]["mean"] for line in table["summary"]
    }
    assert dice["all", "shape"] > 0.85
    assert "lacks shape_model.npz" in refused("evaluate", "long-axis", "--hearts", tmp_path)
    output = shape_model_folder / "tables"
    assert "among it" in refused(*arguments, "--methods", "nearest", "--output", output)


def test_markdown_is_that_of_the_table(call, data):
    answer = call("evaluate", "withheld", "--data", data, "--methods", "nearest")
    (expected,) = withheld_tables(DataFolder(data), None, Comparison(("nearest",)))
    assert answer.out.endswith(markdown(expected))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cases", "nobody"), "No case"),
        (("--cases", "("), "regular expression"),
        (("--methods", "magic"), "choose among"),
        (("--methods", ""), "choose among"),
        (("--label-values", "3,2,1"), "swapped"),
        (("--steps", "0"), "whole number"),
    ],
)
def test_bad_options_are_refused(refused, data, tmp_path, options, message):
    given = () if "--methods" in options else ("--methods", "nearest")
    sentence = refused(
        "evaluate", "withheld", "--data", data, "--output", tmp_path / "new" / "x", *given, *options
    )
    assert message in sentence


def test_an_output_among_the_data_is_refused(refused, data):
    assert "among it" in refused("evaluate", "segmentation", "--data", data, "--output", data / "tables")


def test_a_folder_without_pairs_is_refused(refused, tmp_path):
    assert "no pairs" in refused("evaluate", "segmentation", "--data", tmp_path)


def test_whole_hearts_of_phantoms(call, tmp_path):
    output = tmp_path / "whole"
    answer = call(
        *("evaluate", "whole", "--phantoms", "1", "--methods", "shape", "--shifts-from", "nothing,3 LAX"),
        *("--slice-shift", "2.5", "--output", output),
    )
    assert (answer.code, answer.err) == (0, "")
    record = json.loads((output / "whole.json").read_text())
    assert [table["title"] for table in record["tables"]] == [
        "Shapes",
        "Shapes, worst",
        "Hearts",
        "Hearts, worst",
        "Gain, heart by heart",
    ]
    left = {
        line["shifts from"]: line["scores"]["shifts left, mm"]["mean"]
        for line in record["tables"][2]["summary"]
    }
    assert left["nothing"] > 1.5
    assert left["3 LAX"] < 0.7  # .68; a slice at the apex, told badly, counts since labels take no side
    assert "whole-surfaces-best.png" in record["figures"]
    assert (output / "whole-surfaces-best.png").is_file()
    assert (
        "--slice-shift 2.5 --view-shift 1.5 --labels exact --shifts-from 'nothing,3 LAX'" in record["command"]
    )


def test_whole_hearts_of_real_stacks(call, data, tmp_path):
    answer = call(
        *("evaluate", "whole", "--data", data, "--cases", "ED", "--methods", "shape", "--json"),
        *("--output", tmp_path / "whole"),
    )
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    assert "whole-surfaces-best.png" in record["figures"]
    titles = [table["title"] for table in record["tables"]]
    assert titles == ["Structures", "Structures, worst", "Hearts", "Hearts, worst"]
    assert "slice-shift" not in record["command"]


def test_the_course_of_a_cine(call, files, tmp_path):
    output = tmp_path / "cycle"
    answer = call("evaluate", "cycle", files["cine"], "--methods", "nearest", "--json", "--output", output)
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    assert {"cycle-surfaces-ED.png", "cycle-surfaces-ES.png"} <= set(record["figures"])
    (table,) = record["tables"]
    assert [line["method"] for line in table["summary"]] == [
        "disc summation",
        "nearest",
        "a phantom, exactly",
    ]


def test_contours_of_another_tool(call, tmp_path):
    points, slices = ["x\ty\tz\tcontour type\tframeID\tweight\ttime frame"], []
    for image in range(4):
        slices.append(
            f"slice{image}\tframeID:\t{image}\tImagePositionPatient\t0.0\t0.0\t{8.0 * image}\t"
            "ImageOrientationPatient\t1.0\t0.0\t0.0\t0.0\t1.0\t0.0\tPixelSpacing\t1.5\t1.5"
        )
        for radius, kind in (
            (18, "SAX_LV_ENDOCARDIAL"),
            (26, "SAX_LV_EPICARDIAL"),
            (18, "LAX_LV_ENDOCARDIAL"),
        ):
            for angle in np.arange(0, 2 * np.pi, 0.1):
                x, y = radius * np.cos(angle), radius * np.sin(angle)
                points.append(f"{x}\t{y}\t{8.0 * image}\t{kind}\t{image}\t1.0\t3")
    (tmp_path / "points.txt").write_text("\n".join(points))
    (tmp_path / "slices.txt").write_text("\n".join(slices))
    answer = call(
        *("evaluate", "contours", tmp_path / "points.txt", "--slices", tmp_path / "slices.txt"),
        *("--methods", "shape", "--json"),
    )
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    rows = record["tables"][0]["rows"]
    assert {row["points"] for row in rows} == {"LAX_LV_ENDOCARDIAL", "all LAX contours"}
    assert all(row["case"] == "frame 3" for row in rows)
    assert all(row["scores"]["mean, mm"] < 1 for row in rows)
    assert str(tmp_path) not in record["command"]


@pytest.mark.parametrize("shift", ["-1", "21"])
def test_shifts_that_make_no_sense_are_refused(call, shift):
    answer = call("evaluate", "whole", "--slice-shift", shift)
    assert answer.code == 2
    assert "mm from 0 to 20" in answer.err
