import json
import os

import pytest
from dmcvr.cohort.records import RECORD, case_folder, is_current, read_record
from dmcvr.cohort.work import run_case


@pytest.fixture
def folder(case, settings):
    assert run_case(case, settings).status == "done"
    return case_folder(settings.output, case)


def test_a_record_says_what_was_made_from_what(case, settings, folder):
    record = read_record(folder)
    assert (record["name"], record["subject"], record["phase"], record["status"]) == (
        "a_ED",
        "a",
        "ED",
        "done",
    )
    assert record["options"]["method"] == record["result"]["method"] == "linear"
    assert record["input"]["sha256"] == record["result"]["input"]["sha256"]
    assert record["result"]["volumes"][0]["LVC"] > 0
    assert record["seconds"] > 0
    text = (folder / RECORD).read_text()
    assert "Doe" not in text
    assert str(settings.output) not in text


def test_a_result_stands_while_nothing_has_changed(case, settings, folder, other):
    assert is_current(case, settings, folder)
    assert is_current(case, other(trust_times=False), folder)


@pytest.mark.parametrize(
    "change",
    [{"spacing": 2.0}, {"method": "nearest"}, {"seed": 1}, {"label_values": (3, 2, 1)}, {"keep": "labels"}],
)
def test_other_options_ask_for_another_result(case, folder, other, change):
    assert not is_current(case, other(**change), folder)


def test_a_result_of_which_more_was_kept_serves_as_well(case, settings, other):
    run_case(case, other(keep="volumes"))
    assert is_current(case, settings, case_folder(settings.output, case))


def test_the_model_counts_where_one_is_used(case, folder, other):
    assert is_current(case, other(model_sha256="another"), folder)  # a baseline on an expert's labels
    record = read_record(folder)
    (folder / RECORD).write_text(json.dumps({**record, "model_sha256": "m"}))
    assert not is_current(case, other(model_sha256="another"), folder)


def test_an_input_of_another_content_is_another_input(case, settings, folder, add_stack):
    add_stack(case.path.parent, "a_ED", slices=4, bright=650.0)
    assert not is_current(case, settings, folder)


def test_a_copied_input_is_the_same_though_its_time_is_not(case, settings, folder):
    os.utime(case.path, (1, 1))
    assert is_current(case, settings, folder)


def test_labels_count_too(case, settings, folder, add_stack):
    content = case.path.read_bytes()
    add_stack(case.path.parent, "a_ED", slices=4, row=38)
    case.path.write_bytes(content)
    assert not is_current(case, settings, folder)


def test_only_verifying_sees_what_size_and_time_hide(case, settings, folder, other):
    before = case.path.stat()
    content = bytearray(case.path.read_bytes())
    content[-1] ^= 1
    case.path.write_bytes(content)
    os.utime(case.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert is_current(case, settings, folder)
    assert not is_current(case, other(trust_times=False), folder)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 99}', '{"format": 1, "status": "done"}'])
def test_a_damaged_record_is_none(case, settings, folder, damage):
    (folder / RECORD).write_text(damage)
    assert read_record(folder) is None
    assert not is_current(case, settings, folder)


def test_a_result_with_a_file_missing_or_cut_short_does_not_stand(case, other):
    settings = other(keep="labels")
    folder = case_folder(settings.output, case)
    for spoil in (lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-1])):
        run_case(case, settings)
        assert is_current(case, settings, folder)
        spoil(folder / "labels.nrrd")
        assert not is_current(case, settings, folder)
