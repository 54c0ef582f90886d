"""``refmarl render``: an episode as an animated GIF or as a page that plays it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import example
from ._runs import own_modules

if TYPE_CHECKING:
    from ..env_api import Env


def add(verbs: Any) -> None:
    """Declare the verb."""
    render = verbs.add_parser(
        "render",
        help="an episode as a GIF, or as an HTML page that plays it",
        description="WHAT is a run's folder, whose policy then plays, or an environment's name. "
        "The page needs no other file and no network.",
        **example("refmarl render cartpole --policy random --out cartpole.html"),
    )
    render.add_argument("what", metavar="DIR|ENV")
    render.add_argument(
        "--out", type=Path, default=Path("episode.html"), metavar="FILE.gif|.html",
        help="default: episode.html",
    )  # fmt: skip
    render.add_argument(
        "--policy", choices=["run", "heuristic", "random"],
        help="default: the run's; of an environment its heuristic if it has one, else random",
    )  # fmt: skip
    render.add_argument(
        "--env", dest="options", action="append", default=[], metavar="NAME=VALUE",
        help="of the environment",
    )  # fmt: skip
    render.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    render.add_argument("--steps", type=int, default=1000, metavar="N", help="at most; 1000")
    render.add_argument(
        "--fps", type=float, metavar="F", help="frames a second; default: 20, short ones slower"
    )
    render.set_defaults(run=_render)


def _render(args: argparse.Namespace) -> int:
    from ..analysis.render import gif, pace, page
    from ..check import InputError
    from ..rng import streams
    from ..training import checkpoint
    from ..training.evaluate import trace

    own_modules()
    kind = args.out.suffix.lower()
    if kind not in (".gif", ".html"):
        raise InputError(f"--out: need a name that ends in .gif or .html, got {args.out}")
    if args.fps is not None and not 0.0 < args.fps <= 100.0:
        raise InputError(f"--fps: need a number in (0, 100], got {args.fps}")
    act_rng, env_rng = streams(args.seed, "act", "evaluate")
    env, choose, how = _player(args, act_rng)
    env.scene(env.reset(streams(args.seed, "look")[0], 1))  # refuse before playing
    found = trace(env, choose, env_rng, args.steps)
    scenes = [env.scene(state) for state in found.states]
    title = f"{env.name}: {how}, return {sum(found.reward):.4g} in {len(found.reward)} steps"
    fps = args.fps or pace(len(scenes))
    data = gif(scenes, fps) if kind == ".gif" else page(scenes, title, fps).encode()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write(args.out, lambda file: file.write(data))
    print(f"{title}\nwritten to {args.out}")
    return 0


def _player(args: argparse.Namespace, rng: Any) -> "tuple[Env, Any, str]":
    """(environment, how actions are chosen, who plays)."""
    from ..check import InputError
    from ..training import registry
    from ..training.evaluate import at_random
    from ..training.run import resume

    folder = Path(args.what)
    is_run = (folder / "run.json").is_file()
    if is_run and args.options:
        raise InputError("--env: a run has its own environment; leave it out")
    if is_run:
        run, env, progress = resume(folder)
    else:
        if folder.is_dir() and args.what not in registry.ENVS:
            below = sorted(file.parent for file in folder.rglob("run.json"))
            one = f"; one run is shown, such as {below[0]}" if below else ""
            raise InputError(f"{folder}: no run here (run.json is missing){one}")
        env = registry.environment(args.what, registry.override(args.what, args.options))
    able = hasattr(env, "heuristic")
    kind = args.policy or ("run" if is_run else "heuristic" if able else "random")
    if kind == "heuristic":
        if not able:
            raise InputError(f"{env.name}: has no heuristic; give --policy random")
        return env, lambda state, memory: (env.heuristic(state), ()), "heuristic"
    if kind == "run" and not is_run:
        raise InputError(f"{args.what}: not a run's folder; give --policy heuristic or random")
    if kind == "run":
        algorithm = registry.algorithm(run.algorithm)
        policy = algorithm.policy(env, run.config, progress.agent, rng, greedy=True)
        who = f"{run.algorithm} after {progress.steps} steps"
    else:
        policy, who = at_random(env, rng), "random"

    def choose(state: Any, memory: Any) -> Any:
        act = policy(env.observe(state), env.mask(state), memory)
        return act.action, act.memory

    return env, choose, who
