"""Normal-form games (course §1): utilities, equilibria, dynamics, and a library of named games.

Files are read and written by :mod:`refmarl.games.files`, :func:`refmarl.games.solve.solve` picks a
method by name, :mod:`refmarl.games.show` prints. Extensive games are in
:mod:`refmarl.games.extensive`; learners in :mod:`refmarl.games.independent_q`,
:mod:`refmarl.games.joint_action_q` and :mod:`refmarl.games.minimax_q`; Markov games to try them
on in :mod:`refmarl.games.markov_examples`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import files, library
from .correlated import (
    Correlated,
    correlated_equilibrium,
    deviation_gains,
    product_distribution,
    violation,
)
from .dominance import Elimination, Removal, iterated_elimination, strictly_dominated
from .exact import ExactEquilibria, exact_equilibria
from .generators import (
    PotentialGame,
    common_interest_game,
    covariance_game,
    degenerate_game,
    potential_game,
    random_game,
    symmetric_game,
    zero_sum_game,
)
from .induced import (
    best_response_policy,
    induced_mdp,
    policy_nash_conv,
    policy_regrets,
    state_regrets,
)
from .kinds import decompose, exact_potential, is_harmonic, is_potential, spectrum
from .markov import MarkovGame, evaluate, repeated, stage_game
from .mdp import MDP, solve_mdp
from .nash import Certificate, best_responses, certify, is_nash, nash_conv, pure_equilibria, regrets
from .normal_form import NormalForm, action_values, expected_utility
from .pareto import pareto_dominates, pareto_frontier
from .replicator import (
    discrete_replicator,
    population_field,
    replicate,
    replicator,
    replicator_field,
    rest_point_eigenvalues,
)
from .stackelberg import Commitment, leader_payoff, pure_commitment, stackelberg
from .welfare import price_of_anarchy, price_of_stability, social_welfare
from .zero_sum import ZeroSum, saddle_points, zero_sum_value

if TYPE_CHECKING:
    from .fictitious import Play, fictitious_play
    from .regret import RegretPlay, match_regrets, regret_matching
    from .support import Equilibria, support_enumeration

# What has kernels is imported at its first use: numba alone takes longer than all the rest.
_COMPILED = {
    "Play": "fictitious",
    "fictitious_play": "fictitious",
    "RegretPlay": "regret",
    "match_regrets": "regret",
    "regret_matching": "regret",
    "Equilibria": "support",
    "support_enumeration": "support",
}

__all__ = [
    "MDP",
    "Certificate",
    "Commitment",
    "Correlated",
    "Elimination",
    "Equilibria",
    "ExactEquilibria",
    "MarkovGame",
    "NormalForm",
    "Play",
    "PotentialGame",
    "RegretPlay",
    "Removal",
    "ZeroSum",
    "action_values",
    "best_response_policy",
    "best_responses",
    "certify",
    "common_interest_game",
    "correlated_equilibrium",
    "covariance_game",
    "decompose",
    "degenerate_game",
    "deviation_gains",
    "discrete_replicator",
    "evaluate",
    "exact_equilibria",
    "exact_potential",
    "expected_utility",
    "fictitious_play",
    "files",
    "induced_mdp",
    "is_harmonic",
    "is_nash",
    "is_potential",
    "iterated_elimination",
    "leader_payoff",
    "library",
    "match_regrets",
    "nash_conv",
    "pareto_dominates",
    "pareto_frontier",
    "policy_nash_conv",
    "policy_regrets",
    "population_field",
    "potential_game",
    "price_of_anarchy",
    "price_of_stability",
    "product_distribution",
    "pure_commitment",
    "pure_equilibria",
    "random_game",
    "regret_matching",
    "regrets",
    "repeated",
    "replicate",
    "replicator",
    "replicator_field",
    "rest_point_eigenvalues",
    "saddle_points",
    "social_welfare",
    "solve_mdp",
    "spectrum",
    "stackelberg",
    "stage_game",
    "state_regrets",
    "strictly_dominated",
    "support_enumeration",
    "symmetric_game",
    "violation",
    "zero_sum_game",
    "zero_sum_value",
]


def __getattr__(name: str) -> Any:
    if name not in _COMPILED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_COMPILED[name]}", __name__), name)
