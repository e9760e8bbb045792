"""What a reconstruction tells of itself."""

import numpy as np
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.output_grid import extended, plan_layout
from dmcvr.reconstruction.pipeline import reconstruct


def test_slices_further_than_half_a_gap_beyond_the_stack_are_extrapolated(heart):
    stack, labels = heart[0], heart[1]
    result = reconstruct(stack, options=Options(method="shape", spacing=5), labels=labels)
    assert result.extrapolated == (False,) * len(result.acquired)
    longer = extended(plan_layout(stack, 2.5), -8.0, stack.positions[-1] + 6.0)
    values = vars(result) | {"grid": longer.grid, "acquired": longer.acquired}
    told = type(result)(**values).extrapolated
    gap = float(stack.gaps[0])
    far = np.maximum(-longer.wanted, longer.wanted - stack.positions[-1]) > gap / 2 + 1e-6
    assert told == tuple(far.tolist())
    assert 0 < sum(told) < len(told)
