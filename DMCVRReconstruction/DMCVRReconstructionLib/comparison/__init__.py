"""A result judged on long-axis (LAX) images, in a layout of its own."""
