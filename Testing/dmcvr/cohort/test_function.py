import pytest
from dmcvr.cohort.function import function
from dmcvr.cohort.quality import flags
from dmcvr.reconstruction.warnings import IN_REGISTER


def result(lvc=(120.0,), **changes):
    volumes = [{"LVC": ml, "LVM": 100.0, "RVC": ml + 10} for ml in lvc]
    made = {
        "volumes": volumes,
        "stack_volumes": volumes,
        "ed": None,
        "es": None,
        "cycle": None,
        "long_axis": [{}] * len(lvc),
        "input": {"slices": 10, "gaps_mm": [10.0] * 9},
        "register": {"source": "none", "largest_mm": 0.0},
        "warnings": [],
    }
    return made | changes


def record(phase=None, **how):
    return {"status": "done", "phase": phase, "result": result(**how)}


FAILED = {"status": "failed", "phase": "ES", "result": None}


def test_two_phases_of_one_subject():
    numbers = function([record("ED", lvc=(120.0,)), record("ES", lvc=(48.0,))])
    assert (numbers["edv_ml"], numbers["esv_ml"], numbers["sv_ml"]) == (120, 48, 72)
    assert numbers["ef_percent"] == pytest.approx(60)
    assert numbers["mass_g"] == pytest.approx(105)
    assert numbers["rv_ef_percent"] == pytest.approx(100 * 72 / 130)
    assert numbers["source"] == "reconstruction"


def test_a_whole_cine():
    numbers = function([record(lvc=(60.0, 120.0, 40.0), ed=1, es=2)])
    assert (numbers["edv_ml"], numbers["esv_ml"]) == (120, 40)
    assert numbers["ef_percent"] == pytest.approx(100 * 80 / 120)


def test_one_frame_of_a_cine_has_the_function_of_the_stack():
    cycle = {"edv_ml": 100.0, "esv_ml": 40.0, "rv_edv_ml": 120.0, "rv_esv_ml": None}
    numbers = function([record(lvc=(99.0,), ed=0, cycle=cycle)])
    assert (numbers["edv_ml"], numbers["esv_ml"], numbers["source"]) == (100, 40, "stack")
    assert numbers["ef_percent"] == pytest.approx(60)
    assert (numbers["rv_edv_ml"], numbers["rv_ef_percent"]) == (120, None)
    numbers = function([record(lvc=(99.0,), ed=0, cycle=cycle | {"rv_esv_ml": 60.0})])
    assert numbers["rv_ef_percent"] == pytest.approx(50)


def test_what_cannot_be_known_is_not_made_up():
    assert set(function([record()]).values()) == {None}
    assert set(function([FAILED]).values()) == {None}
    numbers = function([record("ED"), FAILED])
    assert (numbers["edv_ml"], numbers["esv_ml"], numbers["ef_percent"]) == (120, None, None)
    assert function([record("ED", lvc=(0.0,)), record("ES", lvc=(0.0,))])["ef_percent"] is None


FINE = {"edv_ml": 120.0, "rv_edv_ml": 130.0, "ef_percent": 60.0, "mass_g": 105.0}


@pytest.mark.parametrize(
    ("changes", "numbers", "expected"),
    [
        ({}, {}, []),
        ({"long_axis": [None]}, {}, ["ventricle missing"]),
        ({"warnings": ["A slice is missing."]}, {}, ["warnings"]),
        ({"input": {"slices": 4, "gaps_mm": [10.0] * 3}}, {}, ["few slices"]),
        ({"input": {"slices": 9, "gaps_mm": [10.0, 22.0]}}, {}, ["wide gaps"]),
        ({"stack_volumes": [{"LVC": 200.0, "LVM": 100.0, "RVC": 100.0}]}, {}, ["volumes disagree"]),
        ({}, {"ef_percent": 4.0}, ["LV EF low"]),
        ({}, {"rv_ef_percent": 9.0}, ["RV EF low"]),
        ({}, {"ef_percent": -10.0, "mass_g": 900.0}, ["LV EF low", "LV mass high"]),
        ({}, {"sv_ml": 80.0, "rv_sv_ml": 20.0}, ["stroke volumes differ"]),
        ({}, {"es_mass_g": 140.0}, ["muscle changes"]),
        ({"register": {"largest_mm": 14.0}}, {}, ["slices far out of register"]),
        ({"warnings": [f"{IN_REGISTER} by their shapes."]}, {}, []),
        ({}, {"edv_ml": None, "rv_edv_ml": None, "ef_percent": None, "mass_g": None}, []),
    ],
)
def test_flags(changes, numbers, expected):
    assert flags(result(**changes), FINE | numbers) == expected
