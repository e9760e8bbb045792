import numpy as np
import pytest
from dmcvr.reconstruction.frames import cycle_volumes
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from dmcvr.reconstruction.stack_labels import segment_phases, segment_stack


@pytest.mark.slow
def test_segmented_frames_are_counted_together(model, cine):
    told = []
    stack = cine.sax.select(frames=[0, 1], slices=slice(4, 9))
    segment_stack(stack, model, [0, 1], lambda *item: told.append(item))
    assert told[-1] == ("segment", 10, 10)


@pytest.mark.slow
def test_only_end_diastole_and_end_systole_are_segmented_with_all_views(model, cine):
    stack, told = cine.sax.select(slices=slice(3, 9)), []
    _, quick = segment_phases(stack, model, [0, 1, 2], lambda *item: told.append(item))
    _, careful = segment_stack(stack, model, [0, 1, 2], lambda *item: None)
    volumes = cycle_volumes(stack, quick)
    settled = {int(np.argmax(volumes)), int(np.argmin(volumes))}
    same = {t for t in range(3) if np.array_equal(quick[t], careful[t])}
    assert settled <= same < {0, 1, 2}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert (told[0][1] < 6, told[-1]) == (True, ("segment", 18, 18))
    result = reconstruct(stack, model, Options(method="nearest", frame="es", spacing=5))
    assert result.cycle_ml == volumes
    np.testing.assert_array_equal(result.stack_labels[0], careful[int(np.argmin(volumes))])
