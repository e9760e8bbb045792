import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import trimesh
from dicomfiles import NAME, write_dicom
from dmcvr.core.labels import RVC
from dmcvr.io.volumes import read_stack
from dmcvr.output.files import FILES
from dmcvr.system.ownership import LISTED

QUICK = ("--spacing", 5, "--steps", 1)


def array(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def readable(path):
    """The words in a file: an NRRD's header, or a page without its pictures, which may hold any letters."""
    contents = path.read_bytes()
    if path.suffix == ".nrrd":
        return contents.split(b"\n\n")[0].decode()
    return re.sub(r"base64,[^\"]*|[0-9a-f]{64}", "", contents.decode())


@pytest.mark.slow
def test_the_shipped_model_makes_a_volume_of_the_stack(call, files, heart, tmp_path):
    answer = call("reconstruct", files["sax"], "--output", tmp_path / "out", *QUICK)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.endswith(f"{tmp_path / 'out' / 'report.html'}\n")
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    kept = [index is not None for index in record["geometry"]["acquired"]]
    np.testing.assert_array_equal(array(tmp_path / "out" / "volume.nrrd")[kept], heart[0].frames[0])
    assert (record["method"], record["steps"], record["seed"]) == ("dmcvr", [1, 1], 0)
    assert not (tmp_path / "out" / "uncertainty.nrrd").exists()
    assert record["seconds"].keys() == {"read", "load model", "segment", "register", "generate"}


@pytest.mark.slow
def test_uncertainty_on_request(call, files, tmp_path, refused):
    arguments = ("reconstruct", files["sax"], "--output", tmp_path / "out", *QUICK)
    assert call(*arguments, "--uncertainty", 2).code == 0
    spread = array(tmp_path / "out" / "uncertainty.nrrd")
    acquired = json.loads((tmp_path / "out" / "result.json").read_text())["geometry"]["acquired"]
    known = [z for z, index in enumerate(acquired) if index is not None]
    assert [item.any() for item in spread[known[0] : known[-1] + 1]] == [False, True] * 3 + [False]
    assert "samples" in refused(*arguments, "--uncertainty", 2, "--method", "linear")


@pytest.mark.slow
def test_the_same_input_gives_the_same_files_and_no_name_gets_into_them(call, files, tmp_path):
    outputs = [tmp_path / "first", tmp_path / "second"]
    for output in outputs:
        arguments = ("--output", output, "--method", "shape", "--spacing", 5, "--frame", "all")
        assert call("reconstruct", files["cine"], *arguments).code == 0
    assert NAME in str(files["cine"])
    for path in outputs[0].iterdir():
        for secret in ("Doe", "Jane", "1957", "cine.nrrd", str(tmp_path)):
            assert secret not in readable(path)
        if path.suffix == ".nrrd":
            assert path.read_bytes() == (outputs[1] / path.name).read_bytes()
    assert sum(path.suffix == ".nrrd" for path in outputs[0].iterdir()) == 5


def test_a_dicom_folder_is_read_and_its_subject_stays_unnamed(call, heart, tmp_path):
    write_dicom(tmp_path / NAME, heart[0])
    output = tmp_path / "out"
    arguments = ("--output", output, "--method", "shape", "--spacing", 5, "--json")
    answer = call("reconstruct", tmp_path / NAME, *arguments)
    assert (answer.code, answer.err) == (0, "")
    np.testing.assert_array_equal(array(output / "volume.nrrd")[::2], np.round(heart[0].frames[0]))
    for path in output.iterdir():
        assert not {"Doe", "Jane", "4711"} & set(re.findall(r"\w+", readable(path)))


def test_drawn_labels_need_neither_model_nor_order(call, files, heart, tmp_path, write_stack):
    stack, labels = heart
    swapped = np.choose(labels, [0, 3, 2, 1]).astype(np.uint8)
    drawn = write_stack(tmp_path / "acdc.nrrd", stack, swapped)
    output = tmp_path / "out"
    answer = call(
        "reconstruct", files["sax"], "--output", output, "--labels", drawn, "--label-values", "3,2,1",
        "--method", "shape", "--spacing", 5, "--model", tmp_path / "none", "--json",
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    np.testing.assert_array_equal(array(output / "labels.nrrd")[::2], labels[0])
    result = json.loads(answer.out.splitlines()[-1])["result"]
    assert (result["model"], result["device"]) == (None, None)
    assert len(result["input"]["labels_sha256"]) == 64


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frame", "expected"), [("ed", [0]), ("es", [1]), ("1", [1]), ("both", [0, 1]), ("all", [0, 1])]
)
def test_frames(call, files, tmp_path, frame, expected):
    """The second frame is the darker first one again, so its heart may come out smaller or larger."""
    output = tmp_path / "out"
    arguments = ("--output", output, "--method", "nearest", "--spacing", 5, "--frame", frame)
    assert call("reconstruct", files["cine"], *arguments).code == 0
    record = json.loads((output / "result.json").read_text())
    if frame in ("ed", "es"):
        expected = [record["cycle"][f"{frame}_frame"]]
    assert record["frames"] == expected
    stack = read_stack(output / "volume.nrrd")
    np.testing.assert_array_equal(stack.frames[:, ::2], read_stack(files["cine"]).frames[expected])
    numbered = sorted(path.name for path in output.glob("segmentation_*"))
    assert numbered == ([f"segmentation_{t:03d}.seg.nrrd" for t in expected] if len(expected) > 1 else [])


@pytest.mark.slow
def test_an_earlier_cine_leaves_no_segmentations_behind(call, files, tmp_path):
    common = ("--output", tmp_path, "--method", "nearest", "--spacing", 5, "--frame")
    (tmp_path / "notes.txt").write_text("mine")
    assert call("reconstruct", files["cine"], *common, "all").code == 0
    assert call("reconstruct", files["cine"], *common, "0").code == 0
    assert not list(tmp_path.glob("segmentation_*"))
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_long_axis_images_come_into_the_report(call, files, phantom, tmp_path):
    stack = phantom.lax["4ch"]
    image = sitk.GetImageFromArray(stack.frames[0])
    directions = [stack.step_x / stack.spacing[0], stack.step_y / stack.spacing[1], stack.normal]
    image.SetDirection(np.column_stack(directions).ravel().tolist())
    image.SetSpacing([*stack.spacing, 6.0])
    image.SetOrigin(stack.origins[0].tolist())
    sitk.WriteImage(image, str(tmp_path / "lax.nrrd"))
    common = ("reconstruct", files["sax"], "--labels", files["labels"], "--method", "shape", "--spacing", 5)
    assert call(*common, "--output", tmp_path / "without").code == 0
    assert call(*common, "--output", tmp_path / "with", "--lax", tmp_path / "lax.nrrd").code == 0
    pictures = [(tmp_path / name / "report.html").read_text().count("<img") for name in ("without", "with")]
    assert pictures[1] > pictures[0]


DRAWN = ("--method", "linear", "--spacing", 5)


def test_an_earlier_result_in_another_format_goes(call, files, tmp_path):
    """Where result.json lies, all files are of one run."""
    common = ("reconstruct", files["sax"], "--labels", files["labels"], "-o", tmp_path / "out", *DRAWN)
    assert call(*common).code == 0
    first = array(tmp_path / "out" / "labels.nrrd")
    assert call(*common, "--format", "nifti", "--meshes", "stl").code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    meshes = {f"mesh_{name}.stl" for name in ("lv_endocardium", "lv_epicardium", "rv_endocardium")}
    assert names == {
        "volume.nii.gz", "labels.nii.gz", "segmentation.seg.nrrd", "result.json", "report.html",
        "measurements.csv", LISTED, *meshes,
    }  # fmt: skip
    np.testing.assert_array_equal(array(tmp_path / "out" / "labels.nii.gz"), first)
    assert call(*common).code == 0
    assert not list((tmp_path / "out").glob("*.nii.gz")) + list((tmp_path / "out").glob("mesh_*"))


def test_meshes_enclose_what_the_record_says(call, files, tmp_path):
    arguments = ("--labels", files["labels"], "-o", tmp_path / "out", "--meshes", "ply", *DRAWN)
    assert call("reconstruct", files["sax"], *arguments).code == 0
    (volumes,) = json.loads((tmp_path / "out" / "result.json").read_text())["volumes"]
    for name, expected in (
        ("lv_endocardium", volumes["LVC"]),
        ("lv_epicardium", volumes["LVC"] + volumes["LVM"]),
        ("rv_endocardium", volumes["RVC"]),
    ):
        mesh = trimesh.load(tmp_path / "out" / f"mesh_{name}.ply")
        assert mesh.is_watertight
        assert mesh.volume / 1000 == pytest.approx(expected, rel=0.01)


def test_a_structure_without_a_mesh_is_told(call, files, heart, tmp_path, write_stack):
    stack, labels = heart
    drawn = write_stack(tmp_path / "left.nrrd", stack, np.where(labels == RVC, 0, labels).astype(np.uint8))
    arguments = ("--labels", drawn, "-o", tmp_path / "out", "--meshes", *DRAWN)
    answer = call("reconstruct", files["sax"], *arguments)
    assert "Note: There is no rv endocardium in every frame, or too little of it, so no mesh" in answer.out
    meshes = {path.name for path in (tmp_path / "out").glob("mesh_*")}
    assert meshes == {"mesh_lv_endocardium.vtp", "mesh_lv_epicardium.vtp"}


def test_without_vtk_meshes_are_refused_before_anything_is_computed(refused, files, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vtkmodules", None)
    said = refused("reconstruct", files["sax"], "-o", tmp_path / "out", "--meshes")
    assert 'pip install "dmcvr[meshes]"' in said


@pytest.mark.parametrize("command", ["reconstruct", "phantom", "demo"])
def test_a_folder_is_not_named_like_a_file(refused, files, tmp_path, command):
    source = (files["sax"],) if command == "reconstruct" else ()
    for name in ("result.nii.gz", "result.nrrd", "Result.JSON"):
        assert "looks like the name of a file" in refused(command, *source, "-o", tmp_path / name)


class TestOddInput:
    """It works, and what the user should know is said."""

    @pytest.fixture
    def run(self, call, tmp_path):
        def run(path, *more):
            output = tmp_path / "out"
            answer = call("reconstruct", path, "--output", output, "--method", "shape", "--spacing", 5, *more)
            assert (answer.code, answer.err) == (0, "")
            return array(output / "labels.nrrd"), json.loads((output / "result.json").read_text())["warnings"]

        return run

    def test_two_slices_are_pointed_out(self, run, heart, tmp_path, write_stack):
        _, warnings = run(write_stack(tmp_path / "two.nrrd", heart[0].select(slices=slice(1, 3))))
        assert any("only 2 slices" in warning for warning in warnings)

    def test_a_heart_that_the_border_cuts_is_pointed_out(self, run, heart, tmp_path, write_stack):
        stack, labels = heart
        columns = np.flatnonzero((labels[0] > 0).any((0, 1)))
        left = columns[0] + (columns[-1] - columns[0]) // 4
        cut = replace(stack, frames=stack.frames[..., left:], origins=stack.origins + left * stack.step_x)
        _, warnings = run(write_stack(tmp_path / "cut.nrrd", cut))
        assert any("reach the border of the image" in warning for warning in warnings)

    @pytest.mark.parametrize(
        "folder", ["two words", 'it\'s "quoted"', "Änderung 心臓", "x" * 120, "-n %s;&$(ls)"]
    )
    def test_names_of_any_kind(self, call, files, tmp_path, folder):
        place = tmp_path / folder / folder
        place.mkdir(parents=True)
        for name in ("sax", "labels"):
            (place / f"{folder}.{name}.nrrd").write_bytes(files[name].read_bytes())
        answer = call(
            "reconstruct", place / f"{folder}.sax.nrrd", "--labels", place / f"{folder}.labels.nrrd",
            "--output", place / f"{folder} out", "--method", "linear", "--spacing", 5,
        )  # fmt: skip
        assert (answer.code, answer.err) == (0, "")
        always = {name for name in FILES if "*" not in name and not name.endswith(".nii.gz")}
        always -= {"uncertainty.nrrd"}
        assert {path.name for path in (place / f"{folder} out").iterdir()} == {*always, LISTED}


class TestBadInput:
    """Each is one plain sentence and exit code 2, with nothing written."""

    @pytest.fixture
    def bad(self, refused, tmp_path):
        """Runs on an input that cannot be used, with an output whose parents are missing, too."""
        return lambda path, *more: refused(
            "reconstruct", path, "--output", tmp_path / "a" / "out", "--method", "linear", *more
        )

    @pytest.fixture
    def save(self, tmp_path):
        def write(voxels, spacing=(1.5, 1.5, 10.0), vector=False):
            image = sitk.GetImageFromArray(voxels, isVector=vector)
            image.SetSpacing(spacing)
            sitk.WriteImage(image, str(tmp_path / "image.nrrd"))
            return tmp_path / "image.nrrd"

        return write

    noise = np.random.default_rng(0).normal(300, 80, (6, 80, 80)).astype(np.float32)

    def test_one_slice_or_a_long_axis_image(self, bad, save):
        assert "only one slice" in bad(save(self.noise[:1]))

    def test_no_heart_in_view(self, bad, save):
        assert "No heart was found" in bad(save(self.noise))

    def test_a_constant_image(self, bad, save):
        assert "same value" in bad(save(np.full_like(self.noise, 7)))

    def test_values_that_are_no_numbers(self, bad, save):
        voxels = self.noise.copy()
        voxels[2, 3, 4] = np.nan
        assert "NaN" in bad(save(voxels))

    def test_a_colour_image(self, bad, save):
        assert "colour" in bad(save(np.zeros((6, 20, 20, 3), np.uint8), vector=True))

    def test_a_tiny_image(self, bad, save):
        assert "No heart was found" in bad(save(self.noise[:2, :2, :2]))

    def test_numbers_of_16_bits_that_ran_over(self, bad, heart, tmp_path, write_stack):
        frames = np.round(heart[0].frames / heart[0].frames.max() * 60000).astype(np.uint16).astype(np.int16)
        assert "far below zero" in bad(write_stack(tmp_path / "over.nrrd", heart[0], frames))

    def test_ct_in_a_file(self, bad, save):
        voxels = np.full((6, 80, 80), -1000, np.int16)
        voxels[:, 20:60, 10:70] = np.clip(self.noise[:, 20:60, 10:70] - 250, -200, 1500)
        assert "as in CT" in bad(save(voxels))

    @pytest.mark.parametrize("option", ["input", "--labels", "--lax", "--output"])
    def test_a_name_that_is_too_long(self, refused, files, tmp_path, option):
        arguments = {"--output": tmp_path / "out", option: tmp_path / f"{'x' * 300}.nrrd"}
        image = arguments.pop("input", files["sax"])
        words = [word for pair in arguments.items() for word in pair]
        assert "too long" in refused("reconstruct", image, *words)

    def test_no_such_file(self, bad, tmp_path):
        assert "does not exist" in bad(tmp_path / "missing.nii.gz")

    def test_a_file_of_another_kind(self, bad, tmp_path):
        (tmp_path / "letter.docx").write_text("Dear colleague")
        assert "none of" in bad(tmp_path / "letter.docx")

    def test_a_damaged_file(self, bad, files, tmp_path):
        (tmp_path / "sax.nrrd").write_bytes(files["sax"].read_bytes()[:5000])
        assert "cannot be read" in bad(tmp_path / "sax.nrrd")

    def test_an_empty_folder(self, bad, tmp_path):
        (tmp_path / "dicom").mkdir()
        bad(tmp_path / "dicom")

    def test_two_subjects_in_one_folder(self, bad, heart, tmp_path):
        write_dicom(tmp_path / "dicom", heart[0])
        write_dicom(tmp_path / "dicom", heart[0], PatientID="42", PatientName="Roe^Richard")
        message = bad(tmp_path / "dicom")
        assert "more than one patient" in message
        assert "Roe" not in message

    def test_a_localiser(self, bad, heart, tmp_path):
        write_dicom(tmp_path / "dicom", heart[0], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
        assert "short-axis" in bad(tmp_path / "dicom")

    def test_labels_of_another_image(self, bad, files, phantom, tmp_path, write_stack):
        elsewhere = replace(phantom.sax, origins=phantom.sax.origins + 500)
        labels = write_stack(tmp_path / "labels.nrrd", elsewhere, phantom.sax_labels)
        assert "none of LVC, LVM and RVC where the image slices are" in bad(files["sax"], "--labels", labels)

    def test_labels_of_another_place(self, bad, files, phantom, tmp_path, write_stack):
        other = phantom.sax.select(slices=slice(4, 8))
        labels = write_stack(tmp_path / "labels.nrrd", other, phantom.sax_labels[:, 4:8])
        assert "10.0 mm away" in bad(files["sax"], "--labels", labels)

    def test_missing_labels_or_long_axis_images(self, bad, files, tmp_path):
        assert "label file" in bad(files["sax"], "--labels", tmp_path / "missing.nrrd")
        assert "does not exist" in bad(files["sax"], "--lax", tmp_path / "missing.nrrd")

    @pytest.mark.parametrize("spacing", ["0", "-2", "nan", "999"])
    def test_a_spacing_that_makes_no_sense(self, bad, files, spacing):
        assert "spacing" in bad(files["sax"], "--labels", files["labels"], "--spacing", spacing)

    @pytest.mark.parametrize("frame", ["1", "-1"])
    def test_a_frame_the_image_does_not_have(self, bad, files, frame):
        assert "There is no frame" in bad(files["sax"], "--frame", frame)

    def test_a_folder_that_holds_no_model(self, bad, files, tmp_path):
        assert "model.json" in bad(files["sax"], "--model", tmp_path)

    def test_output_that_cannot_be_written(self, refused, files, tmp_path):
        """Below a file; the access rights of a folder would not stop every user."""
        (tmp_path / "file").write_text("")
        message = refused("reconstruct", files["sax"], "--output", tmp_path / "file" / "out")
        assert "output folder" in message
        assert "existing file" in refused("reconstruct", files["sax"], "--output", tmp_path / "file")

    def test_output_into_the_input(self, refused, heart, tmp_path):
        write_dicom(tmp_path / "dicom", heart[0])
        for output in ("dicom", "dicom/out"):
            message = refused("reconstruct", tmp_path / "dicom", "--output", tmp_path / output)
            assert "overwrite the input" in message

    def test_output_over_corrected_labels(self, refused, files, heart, tmp_path, write_stack):
        labels = write_stack(tmp_path / "out" / "labels.nrrd", *heart)
        assert labels.name in FILES
        arguments = ("--labels", labels, "--output", tmp_path / "out")
        assert "overwrite the input" in refused("reconstruct", files["sax"], *arguments)
