"""Games (course §1): utilities, equilibria, dynamics, Markov games, and a library of named ones.

Files are read and written by :mod:`refmarl.games.files`, :func:`refmarl.games.solve.solve` picks a
method by name, :mod:`refmarl.games.show` prints. Extensive games are in
:mod:`refmarl.games.extensive`, families of games in :mod:`refmarl.games.families`, Markov games to
try learners on in :mod:`refmarl.games.markov_examples` and :mod:`refmarl.games.stochastic`;
learners in :mod:`refmarl.games.independent_q`, :mod:`refmarl.games.joint_action_q`,
:mod:`refmarl.games.minimax_q` and :mod:`refmarl.games.wolf_phc`.
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
    from .component_index import component_indices
    from .dec_pomdp import solve_dec_pomdp
    from .evolutionary import all_ess, is_ess
    from .fictitious import Play, fictitious_play
    from .histories import unroll
    from .homotopy import one_equilibrium
    from .memory_one import MemoryOne
    from .newton import newton_iteration
    from .policy_gradient import policy_gradient, shared_gradient
    from .policy_stackelberg import policy_stackelberg, pure_policy_commitment
    from .posg import POSG, belief_update, fully_observed
    from .posg_policies import posg_best_response, posg_nash_conv, posg_value
    from .quantal import logit_path, quantal_equilibrium
    from .rationalizable import minimal_closed_sets, rationalizable
    from .regret import RegretPlay, match_regrets, regret_matching
    from .reinforce import reinforce
    from .selection import (
        maximum_entropy_correlated,
        maximum_entropy_equilibrium,
        payoff_dominates,
        risk_dominance,
    )
    from .sparse import SparseMarkovGame
    from .support import Equilibria, support_enumeration
    from .three_players import all_equilibria_of_three
    from .vertex import vertex_enumeration
    from .wolf_phc import WolfConfig

# Imported at their first use: numba alone takes longer than all the rest, and most programs need
# few of these.
_LAZY = {
    "Play": "fictitious",
    "fictitious_play": "fictitious",
    "RegretPlay": "regret",
    "match_regrets": "regret",
    "regret_matching": "regret",
    "Equilibria": "support",
    "support_enumeration": "support",
    "vertex_enumeration": "vertex",
    "one_equilibrium": "homotopy",
    "logit_path": "quantal",
    "quantal_equilibrium": "quantal",
    "component_indices": "component_index",
    "all_equilibria_of_three": "three_players",
    "risk_dominance": "selection",
    "payoff_dominates": "selection",
    "maximum_entropy_equilibrium": "selection",
    "maximum_entropy_correlated": "selection",
    "is_ess": "evolutionary",
    "all_ess": "evolutionary",
    "rationalizable": "rationalizable",
    "minimal_closed_sets": "rationalizable",
    "policy_gradient": "policy_gradient",
    "shared_gradient": "policy_gradient",
    "reinforce": "reinforce",
    "unroll": "histories",
    "POSG": "posg",
    "belief_update": "posg",
    "fully_observed": "posg",
    "posg_value": "posg_policies",
    "posg_nash_conv": "posg_policies",
    "posg_best_response": "posg_policies",
    "solve_dec_pomdp": "dec_pomdp",
    "policy_stackelberg": "policy_stackelberg",
    "pure_policy_commitment": "policy_stackelberg",
    "SparseMarkovGame": "sparse",
    "newton_iteration": "newton",
    "MemoryOne": "memory_one",
    "WolfConfig": "wolf_phc",
}

__all__ = [
    "MDP",
    "POSG",
    "Certificate",
    "Commitment",
    "Correlated",
    "Elimination",
    "Equilibria",
    "ExactEquilibria",
    "MarkovGame",
    "MemoryOne",
    "NormalForm",
    "Play",
    "PotentialGame",
    "RegretPlay",
    "Removal",
    "SparseMarkovGame",
    "WolfConfig",
    "ZeroSum",
    "action_values",
    "all_equilibria_of_three",
    "all_ess",
    "belief_update",
    "best_response_policy",
    "best_responses",
    "certify",
    "common_interest_game",
    "component_indices",
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
    "fully_observed",
    "induced_mdp",
    "is_ess",
    "is_harmonic",
    "is_nash",
    "is_potential",
    "iterated_elimination",
    "leader_payoff",
    "library",
    "logit_path",
    "match_regrets",
    "maximum_entropy_correlated",
    "maximum_entropy_equilibrium",
    "minimal_closed_sets",
    "nash_conv",
    "newton_iteration",
    "one_equilibrium",
    "pareto_dominates",
    "pareto_frontier",
    "payoff_dominates",
    "policy_gradient",
    "policy_nash_conv",
    "policy_regrets",
    "policy_stackelberg",
    "population_field",
    "posg_best_response",
    "posg_nash_conv",
    "posg_value",
    "potential_game",
    "price_of_anarchy",
    "price_of_stability",
    "product_distribution",
    "pure_commitment",
    "pure_equilibria",
    "pure_policy_commitment",
    "quantal_equilibrium",
    "random_game",
    "rationalizable",
    "regret_matching",
    "regrets",
    "reinforce",
    "repeated",
    "replicate",
    "replicator",
    "replicator_field",
    "rest_point_eigenvalues",
    "risk_dominance",
    "saddle_points",
    "shared_gradient",
    "social_welfare",
    "solve_dec_pomdp",
    "solve_mdp",
    "spectrum",
    "stackelberg",
    "stage_game",
    "state_regrets",
    "strictly_dominated",
    "support_enumeration",
    "symmetric_game",
    "unroll",
    "vertex_enumeration",
    "violation",
    "zero_sum_game",
    "zero_sum_value",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
