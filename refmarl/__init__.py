"""Reference implementation of a course on multi-agent reinforcement learning, in NumPy.

Import what you need from its packages: ``refmarl.games``, ``refmarl.testing``,
``refmarl.equations``. Importing ``refmarl`` itself loads nothing else.
"""

__version__ = "0.1.0"
