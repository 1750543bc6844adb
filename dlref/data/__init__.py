"""Data to learn from: carried by the package, drawn at random, or downloaded once and checked."""

from dlref.data.digits import digits
from dlref.data.images import cifar10, mnist
from dlref.data.spirals import spirals
from dlref.data.text import python_manual, windows

__all__ = ["cifar10", "digits", "mnist", "python_manual", "spirals", "windows"]
