"""The networks: `medformer` (E_mor and D_mor), `semantic` (E_sem), `denoiser`; their sizes are in `presets`.

Importing this package or `presets` does not import torch.
"""
