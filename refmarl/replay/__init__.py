"""Memories of experience: the newest, the most surprising, whole episodes, a fair sample of all.

A memory is a NamedTuple of arrays and numbers, so that a checkpoint holds it exactly. Its verbs
return the new memory; ``add`` and ``update`` write into the arrays that they were given, which
old and new memory share: go on with what is returned. Sampling returns copies, because what it
picks lies scattered; ``held`` looks at everything without copying.
"""

from .episodes import Episodes
from .prioritised import Prioritised
from .reservoir import Reservoir
from .ring import Ring

__all__ = ["Episodes", "Prioritised", "Reservoir", "Ring"]
