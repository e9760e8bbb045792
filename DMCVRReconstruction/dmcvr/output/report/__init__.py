"""A report on one reconstruction: a single HTML file with pictures, for a reader without this software."""

from .data import ReportData
from .page import write_report

__all__ = ["ReportData", "write_report"]
