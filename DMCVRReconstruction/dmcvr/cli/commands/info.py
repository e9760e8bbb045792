"""``dmcvr info``."""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import PackageNotFoundError, version

from ... import __version__
from ...model.bundle import DEFAULT_BUNDLE, read_card
from ...output.record import LIBRARIES


def run(arguments: argparse.Namespace) -> None:
    """Print versions, devices and the model's card."""
    versions: dict[str, str | None] = {"dmcvr": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    card = read_card(arguments.model or DEFAULT_BUNDLE)
    torch_found = versions["torch"] is not None
    devices = _devices(torch_found)
    facts = {
        "versions": versions,
        "devices": devices,
        "gpus": _gpus() if torch_found else [],
        "model": card,
    }
    if arguments.json:
        print(json.dumps(facts))
        return
    for name, found in versions.items():
        print(f"{name:14} {found or 'not installed'}")
    print("devices        " + ", ".join(devices))
    for key, value in card.items():
        if key not in ("preset", "sha256", "labels"):
            print(f"model {key:8} {value if isinstance(value, str) else json.dumps(value)}")


def _gpus() -> list[dict]:
    """Name and memory in MB of every graphics card that can be used."""
    import torch

    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        found.append({"name": name, "free_mb": free // 2**20, "total_mb": total // 2**20})
    return found


def _devices(torch_found: bool) -> list[str]:
    if not torch_found:
        return []
    import torch

    from ...model.device import describe

    return [
        describe(torch.device("cpu")),
        *(describe(torch.device("cuda", index)) for index in range(torch.cuda.device_count())),
    ]
