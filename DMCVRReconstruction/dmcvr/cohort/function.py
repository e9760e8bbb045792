"""Volumes and function of a subject from the records of its cases."""

from __future__ import annotations

from collections.abc import Iterable

from ..anatomy.function import mass_g

NUMBERS = (
    "edv_ml", "esv_ml", "sv_ml", "ef_percent", "mass_g", "es_mass_g", "rv_edv_ml", "rv_esv_ml", "rv_sv_ml",
    "rv_ef_percent",
)  # fmt: skip


def function(records: Iterable[dict]) -> dict[str, float | str | None]:
    """NUMBERS, and ``source``: what they come from, over the finished ``records`` of one subject.

    From reconstructions of both phases ("reconstruction"): of a whole cine, or of two cases ED and ES. Else,
    of a cine whose every frame was segmented, the volumes from the stack by disc summation ("stack").
    What cannot be known is None: function from one phase, and all from a frame whose phase is unknown.
    """
    results = [record for record in records if record["status"] == "done"]
    volumes: dict[str, dict] = {}
    for record in results:
        made = record["result"]
        for phase in ("ed", "es"):
            index = made[phase]
            if index is None and record["phase"] == phase.upper() and len(made["volumes"]) == 1:
                index = 0
            if index is not None:
                volumes.setdefault(phase, made["volumes"][index])
    numbers: dict[str, float | None] = dict.fromkeys(NUMBERS)
    source = None
    ed, es = volumes.get("ed"), volumes.get("es")
    if ed is not None:
        numbers |= {"edv_ml": ed["LVC"], "rv_edv_ml": ed["RVC"], "mass_g": mass_g(ed["LVM"])}
    if es is not None:
        numbers |= {"esv_ml": es["LVC"], "rv_esv_ml": es["RVC"], "es_mass_g": mass_g(es["LVM"])}
    if ed is not None or es is not None:
        source = "reconstruction"
    cycle = next((record["result"]["cycle"] for record in results if record["result"]["cycle"]), None)
    if (ed is None or es is None) and cycle is not None:
        numbers |= {name: cycle[name] for name in ("edv_ml", "esv_ml", "rv_edv_ml", "rv_esv_ml")}
        source = "stack"
    for side in ("", "rv_"):
        edv, esv = numbers[f"{side}edv_ml"], numbers[f"{side}esv_ml"]
        if edv is not None and esv is not None:
            numbers[f"{side}sv_ml"] = edv - esv
            ef = "ef_percent" if not side else "rv_ef_percent"
            numbers[ef] = 100 * (edv - esv) / edv if edv > 0 else None
    return {**numbers, "source": source}
