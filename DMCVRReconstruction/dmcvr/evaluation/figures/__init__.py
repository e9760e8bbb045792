"""Figures of the tables and of examples, by matplotlib, an optional extra that is imported only to draw.

No figure touches matplotlib's global state: each is an object of its own, drawn by Agg.
"""
