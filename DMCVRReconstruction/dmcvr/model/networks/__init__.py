"""The networks: `residual_unet` or `medformer` (E_mor and D_mor, see `segmenters`), `semantic` (E_sem),
`denoiser`; `shape_completer` and `shift_estimator`, which know hearts by their shapes; `deeprecon`, the
baseline's. Their sizes are in `presets` and `deeprecon_preset`.

Importing this package or `presets` does not import torch.
"""
