"""The smallest DeepRecon-style model, for what needs its networks and not what they have learned."""

from pathlib import Path

import torch
from dmcvr.model.bundle import write_bundle
from dmcvr.model.networks.deeprecon import StyleAutoencoder
from dmcvr.model.networks.deeprecon_preset import DeepReconPreset
from safetensors.torch import save_file

TINY_DEEPRECON = DeepReconPreset(
    image_size=32, spacing_mm=6.0, widths=(16, 16, 8), code=16, bottleneck=4, groups=4
)
"""32 pixels of 6 mm."""


def untrained_deeprecon(folder: Path) -> Path:
    """A model folder with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    weights = folder / "weights"
    save_file(StyleAutoencoder(TINY_DEEPRECON).state_dict(), weights)
    about = {"name": "tiny deeprecon", "licence": "CC0"}
    write_bundle(folder / "model", TINY_DEEPRECON, {"deeprecon": weights}, about)
    return folder / "model"
