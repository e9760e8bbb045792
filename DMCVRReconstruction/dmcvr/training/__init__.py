"""Data sets, augmentation and the training of segmenter and generator."""
