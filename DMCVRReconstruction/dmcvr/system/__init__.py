"""The machine beneath: outputs that appear whole, private folders, large arrays, threads, untrusted files."""
