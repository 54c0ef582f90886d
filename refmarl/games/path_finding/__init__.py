"""Multi-agent path finding: walkers on a grid, each with a goal, who must not collide.

In every step each walker stays or goes to a neighbouring cell, all at once. No two may be in one
cell, and no two may change places; to follow one another, also round in a circle, is allowed. What
a plan costs is one of

    steps      Σ_i steps of i, but for those in which it stays on its goal
    arrivals   Σ_i the step after which i stays on its goal for ever
    makespan   max_i the same

The first is what an environment can pay step by step (Standley 2010); the second charges for
waiting on a goal that is left again. Neither is below the sum of the lengths of shortest paths.

Stern et al. 2019, arXiv:1906.08291, tell the variants of the problem.
"""

from .bounds import alone, anonymous, prioritized, reachable
from .cbs import best_plan, conflict_based_search
from .field import FIELDS, Field, named_field, random_field
from .joint import joint_search, least_makespan
from .plan import Plan

__all__ = [
    "FIELDS",
    "Field",
    "Plan",
    "alone",
    "anonymous",
    "best_plan",
    "conflict_based_search",
    "joint_search",
    "least_makespan",
    "named_field",
    "prioritized",
    "random_field",
    "reachable",
]
