"""What a large cohort would take, on paper, going by one that was run.

    python Testing/Benchmarks/cohort_project.py OUTPUT --subjects 100000 --frames 50

OUTPUT: of ``dmcvr cohort --keep volumes`` with one frame a case. Prints the means over its finished cases,
and from them worker hours, bytes and files for two phases a subject and for a whole cine of each. A worker
hour is one of the device that the records name. Loading the model, once a worker, is left out.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from dmcvr.cohort.records import PICTURE, RECORD, read_record

REPORT = "report.html"
FOLDERS = 256


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--subjects", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=50)
    arguments = parser.parse_args()
    folders = [path.parent for path in arguments.output.rglob(RECORD)]
    records = [record for record in map(read_record, folders) if record["status"] == "done"]
    seconds, sizes = means(records)
    sizes[RECORD] = sum((folder / RECORD).stat().st_size for folder in folders) / len(folders)
    devices = sorted({record["result"]["device"] or "CPU, no network" for record in records})
    say({"cases": len(records), "devices": devices, "seconds_a_frame": rounded(seconds, 2)})
    say({"bytes_a_case": rounded(sizes, 0)})
    for title, cases, frames in (
        ("two phases", 2 * arguments.subjects, 1),
        ("whole cine", arguments.subjects, arguments.frames),
    ):
        hours = round(cases * frames * sum(seconds.values()) / 3600)
        say({"for": title, "worker_hours": hours, "cases_a_folder": round(cases / FOLDERS)})
        for keep in ("volumes", "labels", "record"):
            say({"for": title, "keep": keep, **storage(sizes, keep, cases, frames)})


def means(records: list[dict]) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds by stage, and bytes by file."""
    seconds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for record in records:
        seconds.update(record["result"]["seconds"])
        sizes.update(record["files"])
    seconds.pop("load model", None)
    return tuple({name: total / len(records) for name, total in sums.items()} for sums in (seconds, sizes))


def storage(sizes: dict[str, float], keep: str, cases: int, frames: int) -> dict:
    """Terabytes and files: images grow with the frames, record, picture and report hardly do."""
    names = {
        "volumes": set(sizes),
        "labels": {"labels.nrrd", PICTURE, RECORD},
        "record": {PICTURE, RECORD},
    }[keep]
    fixed = names & {PICTURE, RECORD, REPORT}
    size = sum(sizes[name] for name in fixed) + frames * sum(sizes[name] for name in names - fixed)
    numbered = frames if keep == "volumes" and frames > 1 else 0
    return {"terabytes": round(cases * size / 1e12, 3), "files": cases * (len(names) + numbered)}


def rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


def say(line: dict) -> None:
    print(json.dumps(line))


if __name__ == "__main__":
    main()
