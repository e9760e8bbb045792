"""What all else speaks in: the stack, planes and grids, labels, intensities, errors. No torch, no files."""
