"""A mistyped word is answered with the right one; no number may be infinite or none."""

import pytest

TRAIN = ("train", "segmenter", "--output", "x")
RECONSTRUCT = ("reconstruct", "in", "--output", "out")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("reconstruct", "in", "--ouput", "out"), "--output for --ouput"),
        ((*RECONSTRUCT, "--methd", "shape"), "--method for --methd"),
        ((*RECONSTRUCT, "--spacng=5"), "--spacing for --spacng"),
        ((*RECONSTRUCT, "--lables", "x.nrrd"), "--labels for --lables"),
        (("evaluate", "withheld", "--data", "x", "--uncertanty", "3"), "--uncertainty for --uncertanty"),
        (("train", "recipe", "--minuts", "5"), "--minutes for --minuts"),
        (("reconstrct", "in"), "reconstruct for reconstrct"),
        (("evaluate", "clinicl"), "clinical for clinicl"),
        ((*RECONSTRUCT, "--method", "shap"), "shape for shap"),
    ],
)
def test_the_right_word_is_suggested(refused, arguments, meant):
    assert refused(*arguments).endswith(f"did you mean {meant}?")


@pytest.mark.parametrize(
    "arguments", [("reconstruct",), (*RECONSTRUCT, "--xyzzy"), (*RECONSTRUCT, "--stop", "x")]
)
def test_nothing_is_suggested_where_nothing_is_alike(refused, arguments):
    assert "did you mean" not in refused(*arguments)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "x", ""])
@pytest.mark.parametrize(
    "arguments",
    [
        (*RECONSTRUCT, "--spacing"),
        (*RECONSTRUCT, "--stop"),
        ("cohort", "in", "--output", "out", "--stop"),
        ("demo", "--spacing"),
        ("evaluate", "withheld", "--data", "x", "--stop"),
        (*TRAIN, "--rate"),
        (*TRAIN, "--average"),
        ("train", "recipe", "--output", "x", "--about", "y", "--minutes"),
    ],
)
def test_numbers_must_be_numbers(refused, arguments, number):
    assert "give a number" in refused(*arguments[:-1], f"{arguments[-1]}={number}")


@pytest.mark.parametrize(
    "arguments",
    [
        (*RECONSTRUCT, "--spacing=0"),
        (*RECONSTRUCT, "--spacing=-2"),
        (*TRAIN, "--rate=0"),
        (*TRAIN, "--average=1"),
        ("train", "recipe", "--output", "x", "--about", "y", "--minutes=-1"),
    ],
)
def test_numbers_must_be_in_their_range(refused, arguments):
    assert "give a number" in refused(*arguments)
