"""Schedule, sampler and inverter, and the interpolation of latents: pure functions of tensors and a
callable.
"""
