"""Speed, always beside fidelity: how long a stack takes, and what is left of its slices.

    python Testing/Benchmarks/speed.py stack                    # the defaults
    python Testing/Benchmarks/speed.py stack --rule paper --steps 100 --order 1 --precision float32
    python Testing/Benchmarks/speed.py sweep --output sweep     # steps and samplers; draws the curve

``stack`` reconstructs 10 slices 10 mm apart at 1.5 mm (a phantom's, or those of ``--input``) and prints one
JSON object: seconds by stage, network calls, multiply-accumulates, share of the machine's measured peak, peak
memory, and the PSNR of the acquired slices after their round trip by the same rule, steps and sampler.
``sweep`` prints the round trip's PSNR and the seconds of its network calls for numbers of steps and samplers.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dmcvr
import numpy as np
import torch
from commands import SPACING_MM, phantom_stack
from dmcvr.anatomy.signed_distances import nested_distances
from dmcvr.core.stack import Stack
from dmcvr.evaluation.figures.drawing import DPI, new_figure
from dmcvr.evaluation.figures.style import NORMAL, OTHERS, tidy_axes
from dmcvr.evaluation.metrics import psnr
from dmcvr.io.volumes import read_stack
from dmcvr.model.batches import as_batch
from dmcvr.model.device import describe
from dmcvr.model.diffusion.sampler import generate, invert
from dmcvr.model.diffusion.schedule import LinearBeta
from dmcvr.model.inference import Codes, Model
from dmcvr.model.morphology import REACH_MM
from dmcvr.reconstruction.latents import AcquiredSlices, SliceCodes, SlicePairs, TargetSlices, invert_slices
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from dmcvr.reconstruction.slice_generator import generate_slices
from dmcvr.reconstruction.stack_labels import segment_stack
from dmcvr.training.throughput import flops_of, peak_flops, synchronise

STEPS = (2, 3, 4, 5, 8, 10, 15, 20, 30, 50, 100)
SAMPLERS = {
    "DDIM, uniform in time": (1, "time"),
    "DDIM, uniform in log-SNR": (1, "log-snr"),
    "2M multistep, uniform in log-SNR": (2, "log-snr"),
}


def main() -> None:
    """Measure what the arguments ask for."""
    arguments = parse()
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    stack = read_stack(arguments.input) if arguments.input else phantom_stack()
    started = time.perf_counter()
    model = Model.load(arguments.model, arguments.device, arguments.precision)
    loading = time.perf_counter() - started
    setting = {
        "model": {"name": model.card["name"], "sha256": model.sha256},
        "device": describe(model.device),
        "precision": model.precision,
        "dmcvr": dmcvr.__version__,
        "torch": torch.__version__,
    }
    if arguments.mode == "stack":
        options = Options(
            spacing=SPACING_MM,
            rule=arguments.rule,
            steps=arguments.steps,
            stop_log_snr=arguments.stop,
            order=arguments.order,
        )
        print(json.dumps({**setting, **measure_stack(stack, model, options, loading)}, indent=1))
        return
    curves = sweep(Window.of(stack, model), model)
    print(json.dumps({**setting, "curves": curves}, indent=1))
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        draw(curves, arguments.output / "speed-fidelity.png")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="How long a stack takes, and how true it stays.")
    parser.add_argument("mode", choices=("stack", "sweep"))
    parser.add_argument("--input", type=Path, help="a stack of one frame (default: a phantom's)")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, help="processor threads (default: torch's own)")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--rule", default="aligned", choices=("aligned", "paper"))
    parser.add_argument("--steps", type=int, help="network calls each way (default: the rule's)")
    parser.add_argument("--order", type=int, default=2, choices=(1, 2), help="1: DDIM, 2: multistep")
    parser.add_argument("--stop", type=float, default=1.5, help="log-SNR where the aligned rule stops")
    parser.add_argument("--output", type=Path, help="folder for the curve of sweep")
    return parser.parse_args()


class Window:
    """A stack's slices as the model sees them, and as places to make them anew."""

    def __init__(self, acquired: AcquiredSlices):
        positions, images = acquired.positions, acquired.images
        nothing = np.zeros((2, *images.shape[:2], 2, *images.shape[2:]), np.float32)
        self.acquired, self.same = acquired, TargetSlices(positions, acquired.maps, nothing)

    @classmethod
    def of(cls, stack: Stack, model: Model) -> Window:
        """Found and segmented by the model."""
        window, _ = segment_stack(stack, model, [0], lambda stage, done, total: None)
        native = [stack.plane(index) for index in range(len(stack.origins))]
        images = window.images(stack.frames[0], native)
        labels = model.segment(images)[0].argmax(1).cpu().numpy().astype(np.uint8)
        maps = nested_distances(labels, (window.spacing, window.spacing), REACH_MM)
        return cls(AcquiredSlices(images[None], stack.positions, maps[None]))

    def fidelity(self, made: np.ndarray) -> float:
        """Mean PSNR in dB of regenerated slices (S, size, size)."""
        return float(np.mean([psnr(*pair) for pair in zip(made, self.acquired.images[0], strict=True)]))


def measure_stack(stack: Stack, model: Model, options: Options, loading: float) -> dict:
    """A whole reconstruction, and the round trip of its slices."""
    warm = stack.select(slices=slice(4, 6))
    reconstruct(warm, model, replace(options, steps=1))
    stages: dict[str, float] = {}
    last = [time.perf_counter()]

    def progress(stage: str, done: int, total: int) -> None:
        synchronise(model.device)
        now = time.perf_counter()
        stages[stage] = stages.get(stage, 0.0) + now - last[0]
        last[0] = now

    if model.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(model.device)
    with counted(model) as calls:
        cpu, started = time.process_time(), time.perf_counter()
        last[0] = started
        result = reconstruct(stack, model, options, progress)
        total, cpu = time.perf_counter() - started, time.process_time() - cpu
    seen = Window.of(stack, model)
    latents = invert_slices(model, seen.acquired, options)
    made = generate_slices(model, latents, seen.same, options)[0]
    call = time_of_call(model)
    flops = flops_of(denoiser_call(model, 1))
    peak = peak_flops(model.device, model.precision)
    on_gpu = model.device.type == "cuda"
    return {
        "rule": options.rule,
        "calls_of_inversion_and_generation": options.calls,
        "order": options.order,
        "stop_log_snr": options.stop_log_snr if options.rule == "aligned" else None,
        "slices": {"acquired": len(stack.origins), "output": result.grid.shape[0]},
        "seconds": {"load model": loading, **stages, "rest": total - sum(stages.values()), "total": total},
        "cpu_seconds": cpu,
        "network_calls": calls,
        "denoiser": {
            "ms_per_call": 1000 * call,
            "gmac_per_call": flops / 2e9,
            "gmac_per_stack": calls["denoiser"] * flops / 2e9,
            "share_of_measured_peak": flops / call / peak,
            "measured_peak_gflops": peak / 1e9,
        },
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peak_gpu_memory_mb": torch.cuda.max_memory_allocated(model.device) / 2**20 if on_gpu else None,
        "round_trip_psnr_db": seen.fidelity(made),
    }


@contextmanager
def counted(model: Model) -> Iterator[dict[str, int]]:
    """How many slices each network is given within the block."""
    calls: dict[str, int] = {}
    entered = {"segmenter": "segment_and_encode", "semantic": "forward", "denoiser": "predict"}
    one_at_a_time = threading.Lock()  # batches run side by side

    def counting(name: str, whole: Callable) -> Callable:
        def run(images, *others):
            with one_at_a_time:
                calls[name] = calls.get(name, 0) + len(images)
            return whole(images, *others)

        return run

    for name, method in entered.items():
        network = getattr(model, name)
        setattr(network, method, counting(name, getattr(network, method)))
    try:
        yield calls
    finally:
        for name, method in entered.items():
            delattr(getattr(model, name), method)


def denoiser_call(model: Model, count: int) -> Callable[[], object]:
    """One call of the denoiser for ``count`` slices, its codes bound."""
    images = torch.zeros(count, 1, model.size, model.size, device=model.device)
    maps = torch.zeros(count, 3, model.size, model.size, device=model.device)
    denoise = model.denoise(Codes(model.encode(images), maps))
    return lambda: denoise(images, 0.0)


def time_of_call(model: Model, seconds: float = 2.0) -> float:
    """Seconds of one call of the denoiser a slice, in the batches that it runs in."""
    call = denoiser_call(model, model.batch)
    call()
    best, ends = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < ends:
        synchronise(model.device)
        started = time.perf_counter()
        call()
        synchronise(model.device)
        best = min(best, time.perf_counter() - started)
    return best / model.batch


def sweep(window: Window, model: Model) -> list[dict]:
    """Round trips over the whole way to x_T and back, by sampler and number of steps."""
    acquired = window.acquired
    places = SlicePairs.of(acquired.images.shape[:2], acquired.positions, window.same)
    denoise = model.denoise(SliceCodes.of(model, acquired.images, morphology=True).at(places))
    images = as_batch(acquired.images[0] * 2 - 1).to(model.device)
    curves = []
    for sampler, (order, grid) in SAMPLERS.items():
        for steps in STEPS:
            levels = grid_levels(model, grid, steps)
            started = time.perf_counter()
            made = generate(denoise, invert(denoise, images, levels, order), levels[::-1], order)
            synchronise(model.device)
            seconds = time.perf_counter() - started
            shown = np.clip((made[:, 0].cpu().numpy() + 1) / 2, 0, 1)
            curves.append(
                {
                    "sampler": sampler,
                    "steps_each_way": steps,
                    "calls_a_slice": 2 * steps,
                    "seconds_a_slice": seconds / len(images),
                    "round_trip_psnr_db": window.fidelity(shown),
                }
            )
    return curves


def grid_levels(model: Model, grid: str, steps: int) -> list[float]:
    """steps + 1 levels from image to x_T, uniform in log-SNR or in the time index of the paper's schedule,
    within what the network knows.
    """
    if grid == "log-snr":
        return model.schedule.grid(steps)
    low, high = model.schedule.lam_min, model.schedule.lam_max
    levels = np.clip(LinearBeta().ddim_grid(steps), low, high)
    # The network's range ends where two or more of the paper's levels may lie: keep one at either end.
    return [high, *levels[(levels < high) & (levels > low)], low]


def draw(curves: list[dict], path: Path) -> None:
    """PSNR against network calls, a line a sampler."""
    figure = new_figure(6.0, 3.6)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    for sampler, colour in zip(SAMPLERS, OTHERS[: len(SAMPLERS)], strict=True):
        points = [item for item in curves if item["sampler"] == sampler]
        axes.plot(
            [item["calls_a_slice"] for item in points],
            [item["round_trip_psnr_db"] for item in points],
            "o-",
            color=colour,
            markersize=4,
            label=sampler,
        )
    axes.set_xscale("log")
    axes.set_xlabel("Network calls a slice, inversion and generation", fontsize=NORMAL)
    axes.set_ylabel("Round-trip PSNR, dB", fontsize=NORMAL)
    axes.legend(fontsize=NORMAL, frameon=False)
    tidy_axes(axes)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


if __name__ == "__main__":
    main()
