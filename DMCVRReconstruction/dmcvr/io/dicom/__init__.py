"""DICOM: single files, and the short-axis stack among those of a study."""
