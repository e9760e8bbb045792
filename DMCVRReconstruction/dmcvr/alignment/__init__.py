"""Which places of neighbouring slices belong together, and how slices are displaced."""
