"""Levels of isolation: what a child does to itself before it runs a stranger's code.

``plan`` says what is asked for, ``SOURCE`` is the text that puts it into force in the child,
``probe`` tries what a hostile submission would do and tells whether the level holds here.
"""

from .levels import SOURCE, own_uid, plan, sweep, undumpable
from .proving import Report, probe, reached, require

__all__ = [
    "SOURCE",
    "Report",
    "own_uid",
    "plan",
    "probe",
    "reached",
    "require",
    "sweep",
    "undumpable",
]
