"""``dmcvr cohort``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from ...cohort.cases import CaseList, Selection
from ...cohort.clusters import Place, connected
from ...cohort.engine import run_here, run_on
from ...cohort.leftovers import remove_leftovers
from ...cohort.output_folder import check_output, claim_output
from ...cohort.progress import CohortProgress
from ...cohort.records import CASES
from ...cohort.settings import Settings
from ...cohort.sources import LeftOut, find_stacks
from ...cohort.summary import PAGE, Summary
from ...cohort.table import TABLES, write_tables
from ...core.errors import InputError
from ...model.bundle import DEFAULT_BUNDLE, model_sha256, read_card
from ...reconstruction.options import check_deeprecon
from ...system.staging import check_apart, staged_file
from ..choices import chosen_model, chosen_options


def run(arguments: argparse.Namespace) -> None:
    """Find the cases, do them, tell of them."""
    output = arguments.output.absolute()
    check_apart(output, [arguments.input], [*TABLES, PAGE])
    check_output(output)
    if not arguments.collect:
        _work(arguments, output)
    elif not (output / CASES).is_dir():
        raise InputError("The output folder holds no records to collect; run the cohort first.")
    if arguments.shard is None:
        _tell(arguments, output)


def _work(arguments: argparse.Namespace, output: Path) -> None:
    """Do every case that is not done yet."""
    settings = _settings(arguments, output)
    shard = arguments.shard or (1, 1)
    choose = Selection(arguments.frames, arguments.cases, shard, arguments.expert_labels)
    left_out: LeftOut = Counter()
    cases = CaseList(choose(find_stacks(arguments.input, left_out)))
    if left_out and not arguments.json:
        print(f"Not taken for stacks: {_counted(left_out)}", file=sys.stderr)
    claim_output(output)
    remove_leftovers(output)
    try:
        with CohortProgress(len(cases), arguments.json) as progress:
            if arguments.shard is not None:
                run_here(cases, settings, progress)
            else:
                _on_dask(arguments, cases, settings, progress)
    finally:
        remove_leftovers(output)
    if not arguments.json:
        print(progress.line(), file=sys.stderr)
    if progress.unrecorded:
        raise InputError(
            f"Of {progress.unrecorded} cases that failed no record could be written, or their input was out "
            "of reach; see that the disks are there and not full, and run again."
        )


def _counted(left_out: LeftOut) -> str:
    """``3 label files, 1 other view``."""
    return ", ".join(
        f"{count} {kind.removesuffix('s') if count == 1 else kind}"
        for kind, count in sorted(left_out.items())
    )


def _on_dask(
    arguments: argparse.Namespace, cases: CaseList, settings: Settings, progress: CohortProgress
) -> None:
    place = Place(arguments.scheduler, arguments.slurm, arguments.workers, arguments.device != "cpu")
    with connected(place) as client:
        if find_spec("bokeh") is not None and not arguments.json:
            print(f"Dashboard: {client.dashboard_link}", file=sys.stderr)
        run_on(client, cases, settings, progress)


def _settings(arguments: argparse.Namespace, output: Path) -> Settings:
    model, options = chosen_model(arguments), chosen_options(arguments)
    check_deeprecon([options.method], model.folder)
    folder = DEFAULT_BUNDLE if model.folder is None else Path(model.folder).absolute()
    return Settings(
        output=output,
        options=options,
        model=model if model.folder is None else replace(model, folder=str(folder)),
        model_sha256=model_sha256(read_card(folder)),
        label_values=arguments.label_values,
        keep=arguments.keep,
        trust_times=not arguments.verify,
    )


def _tell(arguments: argparse.Namespace, output: Path) -> None:
    """Write table and page of all records, and say how many there are."""
    summary = Summary(output)
    write_tables(output, summary.add)
    done, failed = summary.counts["done"], summary.counts["failed"]
    with staged_file(output / PAGE) as path:
        path.write_text(summary.page(), encoding="utf-8")
    if arguments.json:
        print(
            json.dumps({"output": str(arguments.output), "cases": done + failed, "failed": failed}),
            flush=True,
        )
        return
    print(f"{done} cases done, {failed} failed: {arguments.output / PAGE}, {arguments.output / TABLES[0]}")
