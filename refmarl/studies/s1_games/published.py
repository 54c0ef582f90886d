"""Ours beside the published numbers of section 1: one function for each S-number."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...check import Array, Profile
from ...games import (
    NormalForm,
    expected_utility,
    joint_action_q,
    library,
    posg_examples,
    pure_equilibria,
    regrets,
)
from ...games.correlated import correlated_equilibrium, violation
from ...games.dec_pomdp import solve_dec_pomdp
from ...games.extensive import (
    ExtensiveGame,
    best_response,
    cfr,
    expected_value,
    kuhn,
    nash_conv,
    to_normal_form,
)
from ...games.fictitious import fictitious_play
from ...games.independent_q import IndependentConfig, learn, one_player
from ...games.joint_action_q import JointConfig
from ...games.lemke_howson import lemke_howson
from ...games.pareto import pareto_frontier
from ...games.posg import POSG
from ...games.posg_policies import posg_value
from ...games.regret import regret_matching
from ...games.replicator import discrete_replicator, replicate, replicator, replicator_field
from ...games.stackelberg import stackelberg
from ...games.support import support_enumeration
from ...games.welfare import social_welfare
from ...games.zero_sum import zero_sum_value
from ..published import Found, exact

Data = dict[str, Any]


def _game(data: Data) -> NormalForm:
    return NormalForm.bimatrix(data["row"], data["column"])


def matched(published: list[Any], found: tuple[Profile, ...]) -> list[Any]:
    """``found`` as lists, in the order of ``published``: nearest first, what is left over last."""
    left = [[x.tolist() for x in profile] for profile in found]
    order = []
    for wanted in exact(published):
        if left:
            flat = np.concatenate([np.ravel(x) for x in wanted])
            off = [abs(np.concatenate([np.ravel(x) for x in p]) - flat).max() for p in left]
            order.append(left.pop(int(np.argmin(off))))
    return order + left


def printed(data: Data, full: bool) -> Iterator[Found]:
    """S1.00: what the course prints."""
    for key in ("prisoners_dilemma", "coordination"):
        entry = data[key]
        pure = pure_equilibria(_game(entry))
        yield Found(f"{key.replace('_', ' ')}: pure equilibria", entry["pure"], pure)
    dilemma, coordination = data["prisoners_dilemma"], data["coordination"]
    optimal = bool(pareto_frontier(_game(dilemma))[tuple(dilemma["pure"][0])])
    yield Found("(1, 1) is Pareto optimal", dilemma["pareto_optimal"], optimal)
    mixed = [x for x in support_enumeration(_game(coordination)).profiles if max(x[0]) < 1]
    yield Found("the mixed one it omits", [coordination["mixed"]], matched([], tuple(mixed)), 1e-12)
    for key in ("section_7_prisoners_dilemma", "section_7_battle_of_the_sexes"):
        entry = data[key]
        game = _game(entry)
        pure = pure_equilibria(game)
        yield Found(f"{key.replace('_', ' ')}: pure equilibria", entry["pure"], pure)
        welfare = [float(social_welfare(game)[a]) for a in pure]
        yield Found(f"{key.replace('_', ' ')}: welfare there", entry["welfare"], welfare)


def bimatrix(data: Data, full: bool) -> Iterator[Found]:
    """S1.01: all extreme equilibria."""
    for entry in data["games"]:
        found = support_enumeration(_game(entry)).profiles
        got = matched(entry["equilibria"], found)
        yield Found(entry["name"], entry["equilibria"], got, data["tolerance"], entry["source"])


def identity(data: Data, full: bool) -> Iterator[Found]:
    """S1.02: 2^n − 1."""
    for n, count in zip(data["n"], data["count"], strict=True):
        found = support_enumeration(NormalForm.bimatrix(np.eye(n), np.eye(n))).profiles
        yield Found(f"{n} × {n}", count, len(found))


def each_label(data: Data, full: bool) -> Iterator[Found]:
    """S1.03: where the path of each label ends."""
    tol = data["tolerance"]
    for entry in data["by_label"]:
        for label, end in enumerate(entry["ends"]):
            got = list(lemke_howson(_game(entry), label).profile)
            yield Found(f"{entry['name']}, label {label}", end, got, tol)
    for entry in data["degenerate"]:
        game = _game(entry)
        ends = [lemke_howson(game, label).profile for label in range(sum(game.num_actions))]
        gain = max(float(regrets(game, x).max()) for x in ends)
        yield Found(f"{entry['name']}: largest regret of any label's end", 0, gain, tol)
        if "first_row" in entry:
            row = entry["first_row"]
            yield Found(f"{entry['name']}: row mixture of label 0", row, ends[0][0], tol)
    task = data["constant_sum"]
    A = np.array(task["row"])
    game = NormalForm.bimatrix(A, task["sum"] - A)
    ends = [lemke_howson(game, label).profile for label in range(sum(game.num_actions))]
    values = [float(x @ A @ y) for x, y in ends]
    case = f"{task['name']}: row payoff from each label"
    yield Found(case, [task["value"]] * len(values), values, tol, task["source"])


def long_paths(data: Data, full: bool) -> Iterator[Found]:
    """S1.04: a single equilibrium of full support."""
    published = [data["equilibrium"]]
    got = matched(published, support_enumeration(_game(data)).profiles)
    yield Found("the only equilibrium", published, got, data["tolerance"])


def oneill(data: Data, full: bool) -> Iterator[Found]:
    """S1.05: by the linear program and by supports."""
    yield from _zero_sum(data)
    game = NormalForm.zero_sum(data["row"])
    published = [[data["mixture"]] * 2]
    got = matched(published, support_enumeration(game).profiles)
    yield Found("by supports", published, got, data["tolerance"])


def _zero_sum(data: Data) -> Iterator[Found]:
    value, x, y, _ = zero_sum_value(data["row"])
    yield Found("value", data["value"], value, data["tolerance"])
    yield Found("row mixture", data["mixture"], x, data["tolerance"])
    yield Found("column mixture", data["mixture"], y, data["tolerance"])


def biased(data: Data, full: bool) -> Iterator[Found]:
    """S1.06: by the linear program, and by regret matching to the peer's own tolerance."""
    yield from _zero_sum(data)
    task = data["regret_matching"]
    play = regret_matching(NormalForm.zero_sum(data["row"]), task["steps"], times=[task["steps"]])
    for who, x in zip(("row", "column"), play.averages, strict=True):
        case = f"regret matching, {task['steps']} rounds, {who}"
        yield Found(case, data["mixture"], x[-1], task["tolerance"])


def poker(data: Data, full: bool) -> Iterator[Found]:
    """S1.07: exact values, and the value by the linear program of the normal form."""
    game, tol, task = kuhn(), data["tolerance"], data["uniform"]
    value = zero_sum_value(to_normal_form(game).payoffs[0]).value
    yield Found("value of the normal form", data["value"], value, tol)
    x = game.uniform()
    yield Found("value of uniform play", task["value"], expected_value(game, x), tol)
    replies = [best_response(game, x, i).value for i in range(2)]
    yield Found("best responses to it", task["best_responses"], replies, tol)
    yield Found("its NashConv", task["nash_conv"], nash_conv(game, x), tol)
    passing = game.behaviour({name: [1, 0] for name in game.information})
    wanted = data["always_pass_nash_conv"]
    yield Found("NashConv of always passing", wanted, nash_conv(game, passing), tol)
    for alpha in data["family_alpha"]:
        x = _kuhn_equilibrium(game, float(exact(alpha)))
        case = f"equilibrium with α = {alpha}"
        yield Found(f"{case}: value", data["value"], expected_value(game, x), tol)
        yield Found(f"{case}: NashConv", 0, nash_conv(game, x), tol)


def _kuhn_equilibrium(game: ExtensiveGame, alpha: float) -> Array:
    """The equilibrium in which player 0 bets with the jack with probability α in [0, 1/3]."""
    bets = {"J": alpha, "Q": 0, "K": 3 * alpha, "Jpb": 0, "Qpb": alpha + 1 / 3, "Kpb": 1}
    calls = {"Jp": 1 / 3, "Qp": 0, "Kp": 1, "Jb": 0, "Qb": 1 / 3, "Kb": 1}
    return game.behaviour({name: [1 - p, p] for name, p in (bets | calls).items()})


def counterfactual(data: Data, full: bool) -> Iterator[Found]:
    """S1.08: NashConv of the average strategies, round by round as published."""
    game, times = kuhn(), data["iterations"]
    for key, name, plus in (("cfr", "CFR", False), ("cfr_plus", "CFR+", True)):
        run = cfr(game, times[-1], plus=plus, times=times)
        got = [nash_conv(game, x) for x in run.averages]
        yield Found(f"NashConv of {name}", data[key], got, data["tolerance"])
        value = expected_value(game, run.averages[times.index(data["value_at"])])
        case = f"value of {name} after {data['value_at']} rounds"
        yield Found(case, data["value"], value, data["value_tolerance"])


def evolution(data: Data, full: bool) -> Iterator[Found]:
    """S1.09: the field, and where its trajectories are."""
    tol = data["tolerance"]
    field = replicator_field(data["derivative"]["A"], data["derivative"]["x"])
    yield Found("derivatives at six points", data["derivative"]["xdot"], field, tol)
    for path in data["trajectories"]:
        x = replicator(path["A"], path["y0"], np.linspace(0, 10, 100))
        at = [int(k) for k in path["x_at"]]
        case = f"from {path['y0']}, at {len(at)} times up to 10"
        yield Found(case, list(path["x_at"].values()), x[at], tol)
    for case, key in (("with mutation, t = 10", "mutation"), ("five actions, t = 10", "five")):
        task = data[key]
        x = replicator(task["A"], task["y0"], [0.0, task["t_end"]], mutation=task.get("Q"))
        yield Found(case, task["x_end"], x[-1], tol)
    task = data["asymmetric"]
    game = NormalForm.bimatrix(task["A"], task["B"])
    x, y = replicate(game, (task["x0"], task["y0"]), [0.0, task["t_end"]])
    yield Found("two populations, t = 100", [task["x_end"], task["y_end"]], [x[-1], y[-1]], tol)
    task = data["discrete"]
    yield Found("one generation", task["x_next"], discrete_replicator(task["A"], task["x"]), 1e-12)


def counted(data: Data, full: bool) -> Iterator[Found]:
    """S1.10: counts after 10000 plays on top of given ones."""
    game = NormalForm.bimatrix(data["A"], data["B"])
    play = fictitious_play(game, data["iterations"], initial_counts=data["initial_counts"])
    yield Found("row counts", data["row_counts"], play.counts[0])
    yield Found("column counts", data["col_counts"], play.counts[1])


def shapley(data: Data, full: bool) -> Iterator[Found]:
    """S1.11: the cycle on Shapley's game."""
    lengths = data["run_lengths"]
    steps = sum(lengths) * (1000 if full else 10)
    game = NormalForm.bimatrix(data["A"], data["B"])
    play = fictitious_play(game, steps, start=data["start"], times=[steps])
    got = play.run_lengths
    yield Found(f"first {len(lengths)} run lengths", lengths, got[: len(lengths)])
    ratio = float(got[-2] / got[-3])
    yield Found("ratio of run lengths", data["ratio_limit"], ratio, data["ratio_tolerance"])
    a, b = play.run_profiles.T
    paid = float(game.payoffs[:, a, b].sum(axis=0) @ got / steps)
    tol = data["payoff_sum_tolerance"]
    yield Found("mean of both payoffs together", data["payoff_sum"], paid, tol)
    nash = [float(expected_utility(game, x).sum()) for x in support_enumeration(game).profiles]
    yield Found("the same in the only equilibrium", [data["nash_payoff_sum"]], nash, 1e-9)


def chicken(data: Data, full: bool) -> Iterator[Found]:
    """S1.12: Nash, a device, the best and the worst device."""
    tol, game = data["tolerance"], NormalForm.bimatrix(data["A"], data["B"])
    mixed = next(x for x in support_enumeration(game).profiles if max(x[0]) < 1)
    pays = expected_utility(game, mixed)
    yield Found("mixed Nash payoffs", [data["mixed_nash_payoff"]] * 2, pays, tol)
    thirds = data["aumann_thirds_device"]
    p = np.array(exact(thirds["p"]))
    yield Found(
        "device of thirds", [thirds["payoff_each"]] * 2, (game.payoffs * p).sum((1, 2)), tol
    )
    yield Found("gain from disobeying it", 0, violation(game, p), tol)
    best, task = correlated_equilibrium(game, "welfare"), data["max_welfare_ce"]
    yield Found("best device", task["p"], best.distribution, tol)
    yield Found("its payoffs", [task["payoff_each"]] * 2, best.payoffs, tol)
    worst, task = correlated_equilibrium(game, "-welfare"), data["min_welfare_ce"]
    yield Found("worst device", task["p"], worst.distribution, tol)
    yield Found("its welfare", task["sum"], float(worst.payoffs.sum()), tol)


def commitments(data: Data, full: bool) -> Iterator[Found]:
    """S1.13: the row player leads."""
    for k, task in enumerate(data["games"], start=1):
        best = stackelberg(NormalForm.bimatrix(task["A"], task["B"]))
        yield Found(f"game {k}: payoff", task["leader_value"], best.payoff, data["tolerance"])
        x: Array = best.strategy
        yield Found(f"game {k}: commitment", task["commitment"], x, data["tolerance"])


def decentralised(data: Data, full: bool) -> Iterator[Found]:
    """S1.20: optimal values, and what the policies found earn."""
    for name, values in data["values"].items():
        problem: POSG = getattr(posg_examples, name)()
        for horizon, value in zip(data["horizons"], values, strict=True):
            plan = solve_dec_pomdp(problem, horizon)
            case = f"{problem.game.title}, {horizon} rounds"
            yield Found(case, value, plan.value, data["tolerance"])
            earned = float(posg_value(problem, plan.strategies)[0])
            yield Found(f"{case}: its policies", value, earned, data["tolerance"])


INDEPENDENT = {
    "independent": IndependentConfig(),
    "independent, Boltzmann": IndependentConfig(exploration="boltzmann"),
    "hysteretic": IndependentConfig(beta=0.01),
    "optimistic": IndependentConfig(beta=0.0),
}


def found_best(game: NormalForm, learner: str, runs: int, rng: np.random.Generator) -> float:
    """Share of the runs whose greedy joint action is best for the team in the end."""
    if learner == "joint action":
        greedy = joint_action_q.learn(game, JointConfig(), rng, runs).greedy
    else:
        game = one_player(game) if learner == "central" else game
        greedy = learn(game, INDEPENDENT.get(learner, IndependentConfig()), rng, runs).greedy
    return float((game.payoffs[(0, *greedy.T)] == game.payoffs.max()).mean())


def teams(data: Data, full: bool) -> Iterator[Found]:
    """S2.01: a fifth of the runs unless in full; 0 and 1 exactly."""
    runs = data["runs"] if full else data["runs"] // 5
    for learner, shares in data["learners"].items():
        for name, share in shares.items():
            got = found_best(library.game(name), learner, runs, np.random.default_rng(0))
            tolerance = 0.0 if share in (0, 1) else data["tolerance"]
            source = data["optimistic_source"] if learner == "optimistic" else ""
            yield Found(f"{name}, {learner}", share, got, tolerance, source)


FOUND: dict[str, Callable[[Data, bool], Iterator[Found]]] = {
    "S1.00": printed,
    "S1.01": bimatrix,
    "S1.02": identity,
    "S1.03": each_label,
    "S1.04": long_paths,
    "S1.05": oneill,
    "S1.06": biased,
    "S1.07": poker,
    "S1.08": counterfactual,
    "S1.09": evolution,
    "S1.10": counted,
    "S1.11": shapley,
    "S1.12": chicken,
    "S1.13": commitments,
    "S1.20": decentralised,
    "S2.01": teams,
}
