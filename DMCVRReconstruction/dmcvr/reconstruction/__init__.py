"""From a stack to a heart in 3D: options, pipeline and its steps, result."""
