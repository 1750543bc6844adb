"""Data to learn from: carried by the package or drawn at random."""

from dlref.data.digits import digits
from dlref.data.spirals import spirals
from dlref.data.text import python_manual, windows

__all__ = ["digits", "python_manual", "spirals", "windows"]
