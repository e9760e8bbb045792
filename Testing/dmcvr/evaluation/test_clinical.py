from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.labels import LVC, LVM
from dmcvr.evaluation.clinical import clinical_tables
from dmcvr.evaluation.methods import Comparison, find_labels


def contracted(case, name):
    """The same heart with a smaller cavity in a thicker wall."""
    labels = case.labels.copy()
    row, column = np.indices(labels.shape[1:]) - labels.shape[1] // 2
    labels[:, (np.hypot(row, column) >= 4) & (labels[0] == LVC)] = LVM
    return replace(case, name=name, labels=labels)


def test_a_prism_lacks_the_outer_half_discs_and_no_more(prism, lines):
    ed = prism(count=5, gap=5.0, name="p_ED")
    es = contracted(ed, "p_ES")
    calls = []
    (table,) = clinical_tables([ed, es], None, Comparison(("nearest", "shape")), lambda: calls.append(1))
    assert len(calls) == 2
    summary = lines(table)
    full = ed.volumes(ed.labels)
    for method in ("nearest", "shape"):
        for number, volume in (("LV EDV, ml", full["LVC"]), ("RV ESV, ml", full["RVC"])):
            cells = summary[number, method].cells
            assert cells["reference"].mean == pytest.approx(volume)
            # Nine slices of 2.5 mm stand for five discs of 5 mm.
            assert cells["measured"].mean == pytest.approx(volume * 22.5 / 25)
        assert summary["LV EF, %", method].cells["reference"].mean > 20
        assert summary["LV EF, %", method].cells["difference"].mean == pytest.approx(0)
        assert summary["LV mass, g", method].cells["reference"].mean == pytest.approx(1.05 * full["LVM"])
    assert "in 0 of 2 stacks" in table.notes[-1]


@pytest.mark.slow
def test_with_predicted_labels_the_segmenters_share_is_told_apart(heart, model, lines, prism):
    from dmcvr.evaluation.cases import Case

    found = find_labels(model, heart[0])
    case = Case("p", heart[0], np.where(found == LVC, LVM, found).astype(np.uint8))
    dark = prism(name="dark_ED")
    dark = replace(dark, stack=replace(dark.stack, frames=np.zeros_like(dark.stack.frames)))
    (table,) = clinical_tables([case, dark], model, Comparison(("nearest",), predicted_labels=True))
    summary = lines(table)
    cells = summary["LV volume, ml", "disc summation"].cells
    assert (cells["reference"].mean, cells["measured"].mean) == (0, pytest.approx(case.volumes(found)["LVC"]))
    assert 0 < summary["LV volume, ml", "nearest"].cells["measured"].mean < cells["measured"].mean
    assert ("LV EDV, ml", "nearest") not in summary
    assert "in 1 of 2 stacks" in table.notes[-1]
