"""What labels say about the heart: volumes and function, long axis and views, signed distances."""
