import pytest
from dmcvr.evaluation.agreement import NUMBERS, agreement_table, clinical_numbers, is_agreement
from dmcvr.evaluation.summary import Table, summarise

ED = {"LVC": 120.0, "LVM": 100.0, "RVC": 150.0}
ES = {"LVC": 48.0, "LVM": 105.0, "RVC": 75.0}


def test_numbers_are_those_of_a_clinical_report():
    numbers = clinical_numbers({"ED": ED, "ES": ES})
    assert numbers == {
        "LV EDV, ml": 120,
        "LV ESV, ml": 48,
        "LV EF, %": pytest.approx(60),
        "RV EDV, ml": 150,
        "RV ESV, ml": 75,
        "RV EF, %": pytest.approx(50),
        "LV mass, g": pytest.approx(105),
    }
    assert numbers.keys() <= set(NUMBERS)


def test_a_single_phase_has_no_ejection_fraction():
    assert clinical_numbers({"ES": ES}).keys() == {"LV ESV, ml", "RV ESV, ml"}
    unknown = clinical_numbers({"unknown": ED})
    assert unknown.keys() == {"LV volume, ml", "RV volume, ml", "LV mass, g"}
    assert unknown.keys() <= set(NUMBERS)


def test_a_ventricle_without_volume_has_no_ejection_fraction():
    missed = {**ED, "RVC": 0.0}
    assert "RV EF, %" not in clinical_numbers({"ED": missed, "ES": ES})
    assert "LV EF, %" in clinical_numbers({"ED": missed, "ES": ES})


def test_bias_and_limits_are_of_measured_minus_reference(lines):
    more = {name: value + 6 for name, value in ED.items()}
    less = {name: value - 2 for name, value in ED.items()}
    pairs = {
        ("a", "shape"): {"ED": (more, ED), "ES": (ES, ES)},
        ("b", "shape"): {"ED": (less, ED)},
        ("b", "linear"): {"ED": (ED, ED)},
    }
    table = agreement_table("Agreement", pairs, ("A note.",))
    summary = lines(table)
    assert [group[0] for group in summary] == sorted([group[0] for group in summary], key=NUMBERS.index)
    volume = summary["LV EDV, ml", "shape"].cells
    assert (volume["reference"].mean, volume["measured"].mean) == (120, 122)
    assert (volume["difference"].mean, volume["difference"].sd) == (2, pytest.approx(32**0.5))
    assert volume["absolute difference"].mean == 4
    # Only a has both phases.
    assert summary["LV EF, %", "shape"].cases == 1
    assert summary["LV EF, %", "shape"].cells["difference"].mean == pytest.approx(100 * 78 / 126 - 60)
    assert summary["LV EDV, ml", "linear"].cells["difference"].mean == 0
    assert is_agreement(table)
    assert not is_agreement(Table("Other", (), (), ()))
    assert summarise(table)[0].group == ("LV EDV, ml", "shape")
