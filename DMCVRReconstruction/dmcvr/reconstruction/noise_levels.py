"""The noise levels at which the network is called to invert a slice and to generate one.

Inverting an acquired slice and generating a missing one need not take the same steps. There are several
missing slices for each acquired one, and what the inversion finds serves them all; so the inversion takes
more. Steps of unequal length spend the calls where they are worth most.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model.diffusion.schedule import LinearBeta, UniformLogSNR
from .options import Options

INVERTED_AT, GENERATED_AT = (0.19, 0.43, 0.72), (0.72,)
"""Where the aligned rule's own calls stand between the image (0) and the end of the inversion (1), as shares
of that distance in lambda (chosen on patients 081, 083 and 090 of ACDC; RESEARCH.md compares).
"""


@dataclass(frozen=True)
class NoiseLevels:
    """lambda = log(alpha / sigma) at each step, the first of which is the image's or the noise's own.

    inversion: decreasing, from the image on. generation: increasing, from where the inversion ends.
    """

    inversion: tuple[float, ...]
    generation: tuple[float, ...]

    @classmethod
    def of(cls, schedule: LinearBeta | UniformLogSNR, options: Options) -> NoiseLevels:
        """Those of the options: at even distances where a number of steps is asked for."""
        aligned = options.rule_in_force == "aligned"
        stop = options.stop_log_snr / 2 if aligned else schedule.lam_min
        if options.steps is None and aligned:
            first, length = schedule.lam_max, stop - schedule.lam_max
            ways = (
                [first + length * share for share in (0.0, *shares, 1.0)]
                for shares in (INVERTED_AT, GENERATED_AT)
            )
        else:
            ways = (schedule.grid(calls, stop) for calls in options.calls)
        inversion, back = map(tuple, ways)
        return cls(inversion, back[::-1])

    @property
    def noisiest(self) -> float:
        """Where the inversion ends and the generation begins."""
        return self.inversion[-1]
