"""Exact values beside what ``refmarl evaluate`` measures, where a game can be enumerated."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._output import table
from ._runs import shown

if TYPE_CHECKING:
    from ..env_api import Env
    from ..learner import Progress
    from ..training.run import Run


def certificate(
    run: "Run", env: "Env", progress: "Progress", args: argparse.Namespace
) -> dict[str, Any]:
    """What is known of the learnt policy and of the best one: entries of a JSON row."""
    from ..check import InputError
    from ..rng import streams
    from ..training import registry
    from ..training.certify import certify

    (act_rng,) = streams(args.seed, "act")
    greedy = not args.sample
    policy = registry.algorithm(run.algorithm).policy(
        env, run.config, progress.agent, act_rng, greedy=greedy
    )
    try:
        found = certify(env, policy, greedy, getattr(run.config, "gamma", 0.99))
    except InputError as error:
        return {"certificate": None, "why": str(error), **_bounds(env, args)}
    return {
        "certificate": {
            "return": float(found.values.mean()),
            "values": dict(zip(env.agents, found.values.tolist(), strict=True)),
            "regrets": _named(env.agents, found.regrets),
            "nash_conv": found.nash_conv,
            "best": found.best,
            "best_is_reached": found.reached,
            "gamma": found.gamma,
            "unseen": found.unseen,
        }
    }


def _bounds(env: "Env", args: argparse.Namespace) -> dict[str, Any]:
    """The ceiling over the evaluated first states, if known, and what the heuristic returns."""
    from ..rng import streams
    from ..training.certify import ceiling, scripted

    same = (streams(args.seed, "evaluate")[0] for _ in range(2))
    bound = ceiling(env, next(same), args.episodes)
    plan = None if bound is None else scripted(env, next(same), args.episodes)
    return {"ceiling": bound, "heuristic": plan}


def _named(agents: Sequence[str], regrets: Any) -> dict[str, float] | None:
    return None if regrets is None else dict(zip(agents, regrets.tolist(), strict=True))


def certified(rows: Sequence[dict[str, Any]]) -> None:
    """Print a table of the certificates, and a line for each reason why there is none."""
    lines, discounts = [], set()
    for row in rows:
        if not (found := row["certificate"]):
            continue
        discounts.add(found["gamma"])
        regrets, total = "–", "–"  # too many plays
        if found["regrets"] is not None:
            regrets = " ".join(shown(r) for r in found["regrets"].values())
            total = shown(found["nash_conv"])
        best = ("" if found["best_is_reached"] else "≤ ") + shown(found["best"])
        lines.append((row["folder"], shown(found["return"]), best, total, regrets))
    if lines:
        print("\nexact, by enumeration" + _discounted(discounts) + ":")
        table(("run", "return", "best possible", "NashConv", "regrets"), lines)
    if unseen := max((r["certificate"] or {"unseen": 0.0})["unseen"] for r in rows):
        print(f"(actions never drawn have a probability of {unseen:.1g} at most)")
    whys = {row["why"]: row for row in rows if not row["certificate"]}
    for why in whys:
        print(f"\n{why}")
    for row in rows:
        if row.get("ceiling") is not None:
            beside = f"{row['folder']}: no policy returns more than {shown(row['ceiling'])} here"
            if row["heuristic"] is not None:
                beside += f"; the heuristic, which sees all, {shown(row['heuristic'])}"
            print(beside)


def _discounted(discounts: set[float]) -> str:
    """What kind of return, where it is not that of whole episodes."""
    below = sorted(d for d in discounts if d < 1.0)
    return f", discounted by {', '.join(f'{d:g}' for d in below)}" if below else ""
