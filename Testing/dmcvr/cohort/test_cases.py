from pathlib import Path

import pytest
from dmcvr.cohort.cases import Case, CaseList, Selection, safe_name
from dmcvr.core.errors import InputError


def named(*names):
    return [Case(name, name.split("_")[0], Path("/data") / name) for name in names]


def names(cases):
    return [case.name for case in cases]


def test_a_list_gives_what_went_in_any_number_of_times():
    cases = [
        Case("a", "a", Path("/x/a.nrrd"), frame=3, labels=Path("/x/a_gt.nrrd")),
        Case(
            "b_ED", "b", Path("/x"), frame="ed", phase="ED", files=(Path("/x/1"), Path("/x/2")), of_cine=True
        ),
    ]
    held = CaseList(cases)
    assert len(held) == 2
    assert list(held) == cases
    assert list(held) == cases


def test_two_cases_of_one_name_or_of_names_that_some_disks_mix_up_are_refused():
    for pair in (("a", "a"), ("a", "A")):
        with pytest.raises(InputError, match="have the name"):
            CaseList(named(*pair))
    with pytest.raises(InputError, match="no short-axis stacks"):
        CaseList([])


def test_parts_hold_every_case_once_and_divide_no_subject():
    stacks = named(*(f"s{number}_{phase}" for number in range(40) for phase in ("ED", "ES")))
    parts = [names(Selection(shard=(index, 3))(stacks)) for index in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(names(stacks))
    assert all(len(part) > 10 for part in parts)
    subjects = [{name.split("_")[0] for name in part} for part in parts]
    assert not subjects[0] & subjects[1]
    assert not subjects[1] & subjects[2]


def test_only_cases_that_match_and_bad_patterns():
    assert names(Selection(pattern="b$")(named("ab", "ba"))) == ["ab"]
    with pytest.raises(InputError, match="--cases"):
        list(Selection(pattern="(")(named("a")))


def test_several_frames_of_a_cine_are_cases_of_one_subject():
    cases = list(Selection(("ed", "es", 3))(named("a")))
    assert names(cases) == ["a_ED", "a_ES", "a_3"]
    assert [case.phase for case in cases] == ["ED", "ES", None]
    assert {case.subject for case in cases} == {"a"}
    assert all(case.of_cine for case in cases)


def test_a_stack_whose_phase_or_frame_is_known_is_one_case():
    known = [Case("a_ES", "a", Path("a"), phase="ES"), Case("b", "b", Path("b"), frame=4)]
    cases = list(Selection(("ed", "es"))(known))
    assert [(case.name, case.frame) for case in cases] == [("a_ES", "ed"), ("b", 4)]


def test_names_are_safe_for_any_disk():
    assert safe_name("../a b:c/d") == "_.._a_b_c_d"
    assert safe_name("") == "_"
    assert len(safe_name("x" * 1000)) < 200
    assert safe_name("Münch-1.2") == "Münch-1.2"
