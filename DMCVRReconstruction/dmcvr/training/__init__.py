"""Data sets, augmentation and the training of all networks."""
