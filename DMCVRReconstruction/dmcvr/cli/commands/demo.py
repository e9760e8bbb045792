"""``dmcvr demo``: the phantom through the whole pipeline, and the distance from its truth."""

from __future__ import annotations

import argparse
import json
import math

import numpy as np

from ...core.labels import NAMES
from ...evaluation.metrics import dice, surface_distances
from ...io.inputs import Input
from ...io.scene import write_scene
from ...model.inference import Model
from ...output.files import FILES, RECORD, write_reconstruction
from ...output.record import input_hash, make_record
from ...reconstruction.pipeline import reconstruct
from ...reconstruction.result import Reconstruction
from ...simulation.phantom import PhantomConfig, make_phantom
from ...system.staging import check_folder_name, staged_folder
from ..choices import chosen_options
from ..progress_bar import show_progress
from .phantom import PHANTOM_FILES, write_phantom

SCENE, SCORES = "scene.mrml", "scores.json"


def run(arguments: argparse.Namespace) -> None:
    """Make the standard phantom's end-diastole, reconstruct it, compare, write everything."""
    phantom = make_phantom(PhantomConfig(), frames=[0])
    options = chosen_options(arguments)
    check_folder_name(arguments.output)
    with staged_folder(
        arguments.output, seal=RECORD, names=(*FILES, *PHANTOM_FILES, SCENE, SCORES)
    ) as folder:
        write_phantom(folder, phantom)
        model = Model.load(arguments.model, arguments.device, arguments.precision)
        with show_progress(arguments.json, arguments.quiet) as progress:
            result = reconstruct(phantom.sax, model, options, progress, lax=tuple(phantom.lax.values()))
        hashes = input_hash(folder / "sax.nrrd"), None
        record = make_record(result, options, model, hashes, Input(phantom.sax), result.seconds)
        lax = tuple(phantom.lax.values())
        write_reconstruction(folder, result, record, lax)
        views = [(f"LAX {view}", f"lax_{view}.nrrd") for view in phantom.lax]
        write_scene(folder, result.grid, lax=views, mask=result.labels[0] > 0)
        truth = phantom.truth(result.grid, 0)
        scores = compare(result, truth)
        (folder / SCORES).write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    if arguments.json:
        print(
            json.dumps({"output": str(arguments.output), "result": record.to_json(), "scores": scores}),
            flush=True,
        )
        return
    if arguments.quiet:
        return
    for title, name in (
        ("Volume", "volume.nrrd"),
        ("Segmentation", "segmentation.seg.nrrd"),
        ("Report", "report.html"),
        ("Slicer scene", "scene.mrml"),
    ):
        print(f"{title + ':':14}{arguments.output / name}")
    print("Against the phantom's exact truth, breath-hold shifts of the slices included:")
    print(f"  {'':4} {'Dice':>6} {'surface distance':>18} {'volume':>9} {'truth':>9}")
    for name, score in scores.items():
        distance = "none" if score["assd_mm"] is None else f"{score['assd_mm']:.2f}"
        print(
            f"  {name:4} {score['dice']:6.3f} {distance:>15} mm "
            f"{score['ml']:6.1f} ml {score['truth_ml']:6.1f} ml"
        )


def compare(result: Reconstruction, truth: np.ndarray) -> dict[str, dict[str, float | None]]:
    """Dice, mean symmetric surface distance (None where a structure is missing) and volumes of each
    structure; truth: (Z, Y, X) on the result's grid.
    """
    labels, scores = result.labels[0], {}
    for label, name in NAMES.items():
        found, real = labels == label, truth == label
        assd = surface_distances(found, real, result.grid.spacing).assd
        scores[name] = {
            "dice": dice(found, real),
            "assd_mm": None if math.isnan(assd) else assd,
            "ml": float(found.sum() * result.grid.voxel_ml),
            "truth_ml": float(real.sum() * result.grid.voxel_ml),
        }
    return scores
