"""The generative model: bundle, networks, diffusion, inference on a device."""
