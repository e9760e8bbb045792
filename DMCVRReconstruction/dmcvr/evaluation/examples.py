"""Which cases the figures show: by a rule that leaves nothing to choose."""

from __future__ import annotations

from collections.abc import Mapping

from .summary import Table, case_means

OWN = "dmcvr"
"""The method by whose scores examples are chosen, where it takes part."""


def examples(scores: Mapping[str, float]) -> dict[str, str]:
    """The "best", the "median" and the "worst" of the cases with these scores: the rank by the case's name.

    Of two cases these are best and worst, of one best. Of equal scores the first name in order counts as the
    better; of an even number the better of the two in the middle is the median.
    """
    order = sorted(scores, key=lambda name: (-scores[name], name))
    if len(order) < 3:
        return dict(zip(order, ("best", "worst"), strict=False))
    return {order[0]: "best", order[(len(order) - 1) // 2]: "median", order[-1]: "worst"}


def example_cases(table: Table, column: str) -> dict[str, str]:
    """Examples by a column of a table of (structure, method): the mean of LVC, LVM and RVC by DMCVR, or by
    the last of the methods where it takes no part. The rank by the case's name.
    """
    methods = [row.group[1] for row in table.rows]
    method = OWN if OWN in methods else methods[-1]
    rows = [row for row in table.rows if row.group[1] == method and row.group[0] != "all"]
    return examples(case_means(rows, column))
