"""Metrics and tables: how far a reconstruction is from the truth."""
