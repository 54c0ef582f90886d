"""``refmarl solve``: the equilibria of a game from a file or of the library."""

import argparse
from typing import TYPE_CHECKING, Any

from ._games import LEAST, decimal, load, load_exact, mixture, player, probability
from ._output import as_json, example

if TYPE_CHECKING:
    from ..games import NormalForm
    from ..games.exact import NashSubset
    from ..games.solve import Answer, Solution

EXAMPLE = """refmarl solve chicken --method correlated

A game of two players in JSON:
  {"row": [[6, 2], [7, 0]], "column": [[6, 7], [2, 0]]}    or  {"zero_sum": [[1, -1], [-1, 1]]}
and of any number: {"payoffs": [u_1, …, u_n]}, each nested by the players' actions. A number may be
a fraction, "1/3". An .npz holds arrays under the same keys. More: docs/game-files.md"""
MAX_SHOWN = 50  # equilibria on a terminal, and joint actions of a distribution


def add(verbs: Any) -> None:
    """Declare the verb."""
    solve = verbs.add_parser(
        "solve",
        help="the equilibria of a game, each with its certificate",
        description="GAME is a file (.nfg of Gambit, .json, .npz), - for JSON on standard input, "
        "or a name from `refmarl list games`, with parameters as in hawk-dove:value=2,cost=5. "
        "Without --method: all equilibria of two players; of more all pure ones, or if there are "
        "none, one that is mixed. `refmarl list methods` says what there is and which options "
        "belong to which method.",
        **example(EXAMPLE),
    )
    solve.add_argument("game", metavar="GAME")
    solve.add_argument("--method", default="auto", metavar="M", help="default: auto")
    solve.add_argument("--json", action="store_true", help="print JSON")
    solve.add_argument(
        "--exact",
        action="store_true",
        help="all equilibria of two players in fractions, with components and indices; payoffs "
        "count as they are written, 0.1 as 1/10 (the floats of .npz as what they are)",
    )
    solve.add_argument("--steps", type=int, metavar="N", help="rounds of play (default: 10000)")
    solve.add_argument("--seed", type=int, metavar="S", help="play at random, from this seed")
    solve.add_argument(
        "--objective",
        metavar="O",
        help="what a correlated equilibrium maximises: welfare (default), --objective=-welfare, "
        "egalitarian, or a player's name or number",
    )
    solve.add_argument("--leader", metavar="P", help="the player who commits (default: the first)")
    solve.add_argument("--ties", choices=["strong", "weak"], help="default: strong")
    solve.add_argument(
        "--rationality", type=float, metavar="L", help="of players who err (default: the limit)"
    )
    solve.set_defaults(run=_solve)


def _solve(args: argparse.Namespace) -> int:
    game, payoffs = load_exact(args.game) if args.exact else (load(args.game), None)
    from ..games.solve import solve

    solution = solve(
        game,
        args.method,
        steps=args.steps,
        seed=args.seed,
        objective=_objective(game, args.objective),
        leader=None if args.leader is None else player(game, args.leader, "leader"),
        ties=args.ties,
        exact=payoffs,
        rationality=args.rationality,
    )
    if args.json:
        as_json(data(game, solution))
    else:
        _print(game, solution)
    return 0


def _objective(game: "NormalForm", text: str | None) -> Any:
    from ..games.correlated import OBJECTIVES

    if text is None or text in OBJECTIVES:
        return text
    return player(game, text, f"objective: {', '.join(OBJECTIVES)} or a player")


def data(game: "NormalForm", solution: "Solution") -> dict[str, Any]:
    """The JSON of a solution; other programs lean on its keys."""
    found = {
        "title": game.title,
        "players": list(game.players),
        "actions": [list(names) for names in game.actions],
        "method": solution.method,
        "complete": solution.complete,
        "reason": solution.reason,
        "equilibria": [_answer(answer) for answer in solution.equilibria],
        "facts": solution.facts,
    }
    if solution.components:
        found["components"] = [
            [{"rows": _texts(s.rows), "columns": _texts(s.columns)} for s in component]
            for component in solution.components
        ]
    return found


def _texts(numbers: Any) -> Any:
    """Nested tuples of Fractions as lists of texts such as "1/3"."""
    return [_texts(x) for x in numbers] if isinstance(numbers, tuple) else str(numbers)


def _answer(answer: "Answer") -> dict[str, Any]:
    found: dict[str, Any] = {"kind": answer.kind}
    if answer.profile is not None:
        found["profile"] = [x.tolist() for x in answer.profile]
    if answer.distribution is not None:
        found["distribution"] = answer.distribution.tolist()
    found |= {"payoffs": answer.payoffs.tolist(), "regret": answer.regret}
    if answer.exact is not None:
        profile, payoffs, index = answer.exact
        found["exact"] = {"profile": _texts(profile), "payoffs": _texts(payoffs), "index": index}
    return found


def _print(game: "NormalForm", solution: "Solution") -> None:
    from ..games.show import plain, tabular, text

    if game.title:
        print(plain(game.title) + "\n")
    table = text(game)
    print(table + "\n* pure equilibrium" * ("*" in table and tabular(game)) + "\n")
    count = len(solution.equilibria)
    print(f"Method {solution.method}: {count} {'solution' if count == 1 else 'solutions'}")
    for k, answer in enumerate(solution.equilibria[:MAX_SHOWN], start=1):
        print(f"\n{k}. {answer.kind}")
        for line in _lines(game, answer):
            print(f"   {line}")
    if count > MAX_SHOWN:
        print(f"\n… and {count - MAX_SHOWN} more (--json prints all)")
    _print_facts(game, solution)
    if len(solution.components) < len(solution.equilibria) and solution.components:
        _print_components(game, solution)
    elif solution.complete:
        print("\nComplete: there are no other equilibria.")
    else:
        print(f"\nNot complete: {solution.reason}.")


def _lines(game: "NormalForm", answer: "Answer") -> list[str]:
    from ..games.nash import scale
    from ..games.show import plain

    names = [plain(name) for name in game.players]
    width = max(map(len, names))
    payoffs = ", ".join(decimal(x, scale(game).max()) for x in answer.payoffs)
    last = f"payoffs {payoffs}; regret {answer.regret:.2g}"
    if answer.profile is None:
        return [*_joint(game, answer.distribution), last]
    profile: Any = answer.profile
    if answer.exact is not None:
        profile, exact_payoffs, index = answer.exact
        last = f"payoffs {', '.join(map(str, exact_payoffs))}; no regret"
        last += f"; index {index:+d}" if index else "; index undefined"
    rows = zip(names, game.actions, profile, strict=True)
    return [*(f"{name:{width}}  {mixture(actions, x)}" for name, actions, x in rows), last]


def _print_components(game: "NormalForm", solution: "Solution") -> None:
    """The components of a degenerate game, each a union of products of mixtures."""
    print("\nComplete: every equilibrium lies in one of these components.")
    indices = solution.facts["indices"]
    for k, component in enumerate(solution.components[:MAX_SHOWN], start=1):
        print(f"\nComponent {k}, index {indices[k - 1]:+d}")
        for subset in component[:MAX_SHOWN]:
            print(f"   {_product(game, subset)}")
        if len(component) > MAX_SHOWN:
            print(f"   … and {len(component) - MAX_SHOWN} more products")
    if len(solution.components) > MAX_SHOWN:
        print(f"\n… and {len(solution.components) - MAX_SHOWN} more (--json prints all)")


def _product(game: "NormalForm", subset: "NashSubset") -> str:
    """A maximal Nash subset: the mixtures of some strategies times those of others."""
    sides = []
    for actions, side in zip(game.actions, subset, strict=True):
        shown = [mixture(actions, x) for x in side[:MAX_SHOWN]] + ["…"] * (len(side) > MAX_SHOWN)
        sides.append("mixtures of " * (len(side) > 1) + "{" + " | ".join(shown) + "}")
    return " × ".join(sides)


def _joint(game: "NormalForm", distribution: Any) -> list[str]:
    """The joint actions that a device draws, with their probabilities."""
    import numpy as np

    from ..games.show import described

    drawn = [tuple(int(k) for k in a) for a in np.argwhere(distribution > LEAST)]
    shown = [(described(game, a), probability(distribution[a])) for a in drawn[:MAX_SHOWN]]
    width = max(len(name) for name, _ in shown)
    lines = [f"{name:{width}}  {p}" for name, p in shown]
    return lines + [f"… and {len(drawn) - MAX_SHOWN} more"] * (len(drawn) > MAX_SHOWN)


def _print_facts(game: "NormalForm", solution: "Solution") -> None:
    """What a method says besides its equilibria."""
    from ..games.nash import scale
    from ..games.show import plain

    facts = solution.facts
    if "value" in facts:
        what = "Objective" if "correlated" in solution.method else "Value"
        print(f"\n{what}: {decimal(facts['value'], scale(game).max())}")
    for k, labels in enumerate(facts.get("labels", ())[:MAX_SHOWN], start=1):
        print("\n" * (k == 1) + f"{k}. is reached from {', '.join(map(plain, labels))}")
    for r in facts.get("removed", ()):
        print(f"   round {r['round']}: {plain(r['player'])} never plays {plain(r['action'])}")
    if "kept" in facts:
        print("Left: " + " × ".join("{" + ", ".join(map(plain, a)) + "}" for a in facts["kept"]))
