"""Whether an environment keeps what :mod:`refmarl.env_api` promises; for your own ones too.

    check_env(MyEnv())

plays it with random legal actions and raises :class:`ContractError` at the first broken promise,
naming it: shapes and types of everything, states that are left as they were, the same result from
the same state, copies that do not see each other, no step after the end, fresh copies that are
fresh, agents that are exchangeable where they say so, and what pickling must preserve.

Examples
--------
>>> from refmarl.envs import CartPole
>>> check_env(CartPole())
"""

import pickle
from typing import Any

import numpy as np

from ..check import InputError
from ..env_api import (
    Actions,
    Advance,
    Box,
    Discrete,
    Env,
    Group,
    MultiDiscrete,
    Scene,
    Step,
    advance,
    random_actions,
    take,
)
from ..value_grad import Real


class ContractError(AssertionError):
    """An environment that does not keep a promise; the message names it."""


def check_env(
    env: Env, seed: int = 0, copies: int = 5, steps: int = 60, pickling: bool = True
) -> None:
    """Play ``copies`` copies for ``steps`` steps and look at everything.

    Ends are looked at where they are reached: take more steps, or a short horizon. A class that
    no module holds, typed at a prompt, cannot be pickled: say ``pickling=False``.

    Raises
    ------
    ContractError
        At the first broken promise.
    """
    _groups(env)
    rng = np.random.default_rng(seed)
    state = _begin(env, seed, copies)
    numbers = env.global_state(state).shape
    again = _pickled(env) if pickling else env
    for _ in range(steps):
        _looks(env, state, numbers)
        actions = random_actions(env, rng, state)
        after, step = _pure(env, state, actions)
        _stepped(env, state, after, step)
        _alone(env, state, actions, after, step)
        _permutes(env, state, actions, after, step, rng)
        _same(env, (after, step), again.step(state, actions), "a pickled one plays differently")
        _ended(env, after)
        _refuses(env, state, actions)
        state = _advanced(env, state, actions, after)


def _need(env: Env, holds: Any, says: str) -> None:
    """Raise unless ``holds``."""
    if not holds:
        raise ContractError(f"{getattr(env, 'name', type(env).__name__)}: {says}")


def _groups(env: Env) -> None:
    """Names, sizes and spaces."""
    _need(env, isinstance(getattr(env, "name", None), str), "name: need a text")
    whole = isinstance(env.horizon, int | np.integer) and not isinstance(env.horizon, bool)
    _need(env, whole and env.horizon >= 0, f"horizon: need a number ≥ 0, got {env.horizon!r}")
    groups = env.groups
    some = isinstance(groups, tuple) and groups and all(isinstance(g, Group) for g in groups)
    _need(env, some, "groups: need a tuple of Group, at least one")
    _need(env, all(g.agents for g in groups), "groups: a group without agents")
    _need(env, len(set(env.agents)) == len(env.agents), "groups: two agents of one name")
    for g in groups:
        space, right = g.space, isinstance(g.obs_dim, int) and g.obs_dim >= 1
        _need(env, right, f"{g.name}: obs_dim: need a number ≥ 1, got {g.obs_dim!r}")
        if isinstance(space, Discrete):
            _need(env, space.n >= 1, f"{g.name}: a Discrete of {space.n} actions")
        elif isinstance(space, MultiDiscrete):
            fine = len(space.sizes) and min(space.sizes) >= 1
            _need(env, fine, f"{g.name}: a MultiDiscrete of {space.sizes}")
        else:
            fine = isinstance(space, Box) and space.size >= 1 and space.low < space.high
            _need(env, fine, f"{g.name}: need a space with low < high, got {space}")


def _begin(env: Env, seed: int, copies: int) -> Any:
    """A fresh state, looked at."""
    state = env.reset(np.random.default_rng(seed), copies)
    for field in ("key", "t", "ended"):
        _need(env, field in getattr(state, "_fields", ()), f"state: no field {field!r}")
    keys = np.random.default_rng(seed).integers(2**64, size=copies, dtype=np.uint64)
    _fresh(env, state, keys, "reset")
    again = env.reset(np.random.default_rng(seed), copies)
    _same(env, state, again, "reset: the same seed gives another state")
    other = env.reset(np.random.default_rng(seed + 1), copies)
    _need(env, (state.key != other.key).any(), "reset: another seed gives the same keys")
    return state


def _fresh(env: Env, state: Any, keys: Real, where: str) -> None:
    """Whether these are beginnings of episodes with these keys."""
    for name, field in zip(state._fields, state, strict=True):
        fits = isinstance(field, np.ndarray) and field.shape[:1] == keys.shape
        _need(env, fits, f"{where}: state.{name}: need an array with leading axis {len(keys)}")
    _need(env, state.key.dtype == np.uint64, f"{where}: state.key: need uint64")
    _need(env, (state.key == keys).all(), f"{where}: state.key is not what was given")
    _need(env, state.t.dtype.kind in "iu" and not state.t.any(), f"{where}: need t = 0")
    _need(env, state.ended.dtype == bool and not state.ended.any(), f"{where}: already ended")


def _looks(env: Env, state: Any, numbers: tuple[int, ...]) -> None:
    """Observations, masks, who is alive, the global state, the picture."""
    before, copies = _bits(state), len(state.t)
    obs, masks, alive = env.observe(state), env.mask(state), env.alive(state)
    for what, given in (("observe", obs), ("mask", masks), ("alive", alive)):
        fits = isinstance(given, tuple) and len(given) == len(env.groups)
        _need(env, fits, f"{what}: need a tuple of one entry for each group")
    for g, seen, mask, lives in zip(env.groups, obs, masks, alive, strict=True):
        need = (copies, len(g.agents), g.obs_dim)
        fits = isinstance(seen, np.ndarray) and seen.shape == need and seen.dtype.kind == "f"
        _need(env, fits, f"observe: {g.name}: need floats {need}, got {_kind(seen)}")
        _need(env, np.isfinite(seen).all(), f"observe: {g.name}: not finite")
        if mask is not None:
            _masked(env, g, mask, copies)
        if lives is not None:
            right = lives.shape == need[:2] and lives.dtype == bool
            _need(env, right, f"alive: {g.name}: need bool {need[:2]}, got {_kind(lives)}")
    whole = env.global_state(state)
    flat = whole.shape == (copies, *numbers[1:]) and whole.ndim == 2
    _need(
        env,
        flat and np.isfinite(whole).all(),
        f"global_state: need finite (B, S), always the same S; got {_kind(whole)}",
    )
    for array in (*obs, *(m for m in (*masks, *alive) if m is not None), whole):
        if array.flags.writeable:
            array[...] = 0
    changed = "observe, mask, alive or global_state: gives a view of the state, or changes it"
    _need(env, _bits(state) == before, changed)
    _picture(env, state)


def _masked(env: Env, g: Group, mask: Real, copies: int) -> None:
    """One row of legal actions for each agent, none empty."""
    _need(env, not isinstance(g.space, Box), f"mask: {g.name}: a Box has none")
    sizes = (g.space.n,) if isinstance(g.space, Discrete) else getattr(g.space, "sizes", ())
    need = (copies, len(g.agents), sum(sizes))
    fits = mask.shape == need and mask.dtype == bool
    _need(env, fits, f"mask: {g.name}: need bool {need}, got {_kind(mask)}")
    for part in np.split(mask, np.cumsum(sizes)[:-1], axis=-1):
        _need(env, part.any(axis=-1).all(), f"mask: {g.name}: an agent without a legal action")


def _picture(env: Env, state: Any) -> None:
    """A scene, if there are any."""
    try:
        scene = env.scene(state, len(state.t) - 1)
    except InputError:
        return
    left, right, bottom, top = scene.limits
    fits = isinstance(scene, Scene) and left < right and bottom < top
    _need(env, fits, f"scene: need a Scene with left < right, bottom < top; got {scene.limits}")


def _pure(env: Env, state: Any, actions: Actions) -> tuple[Any, Step]:
    """A step, taken twice: with the same result, and nothing changed."""
    before, given = _bits(state), _bits(actions)
    result = env.step(state, actions)
    kept = _bits(result)
    _need(env, _bits(state) == before, "step: changes the state it was given")
    _need(env, _bits(actions) == given, "step: changes the actions it was given")
    again = env.step(state, actions)
    _need(env, _bits(result) == kept, "step: changes what an earlier step returned")
    _need(env, _bits(again) == kept, "step: the same state and actions, another result")
    return result


def _stepped(env: Env, state: Any, after: Any, step: Step) -> None:
    """Shapes and types of what a step brought, and the clock."""
    copies = len(state.t)
    _need(env, type(after) is type(state), "step: the state changes its type")
    for name, old, new in zip(state._fields, state, after, strict=True):
        fits = new.shape == old.shape and new.dtype == old.dtype
        _need(env, fits, f"step: state.{name} was {_kind(old)}, becomes {_kind(new)}")
    _need(env, (after.key == state.key).all(), "step: changes the key")
    _need(env, (after.t == state.t + 1).all(), "step: t does not count the steps")
    fits = isinstance(step.reward, tuple) and len(step.reward) == len(env.groups)
    _need(env, fits, "reward: need a tuple of one array for each group")
    for g, reward in zip(env.groups, step.reward, strict=True):
        need = (copies, len(g.agents))
        fits = reward.shape == need and reward.dtype.kind == "f"
        _need(env, fits, f"reward: {g.name}: need floats {need}, got {_kind(reward)}")
        _need(env, np.isfinite(reward).all(), f"reward: {g.name}: not finite")
    for name, flag in (("terminated", step.terminated), ("truncated", step.truncated)):
        fits = flag.shape == (copies,) and flag.dtype == bool
        _need(env, fits, f"{name}: need bool ({copies},), got {_kind(flag)}")
    both = (step.terminated & step.truncated).any()
    _need(env, not both, "terminated and truncated at once")
    ended = step.terminated | step.truncated
    _need(env, (after.ended == ended).all(), "ended is not terminated or truncated")
    if env.horizon:
        late = (after.t >= env.horizon) & ~ended
        _need(env, not late.any(), f"goes on after its horizon of {env.horizon} steps")
        early = (step.truncated & (after.t < env.horizon)).any()
        _need(env, not early, f"truncated before its horizon of {env.horizon} steps")


def _alone(env: Env, state: Any, actions: Actions, after: Any, step: Step) -> None:
    """Each copy behaves as it would alone, and in any order."""
    size = len(state.t)
    for which in (np.array([size - 1]), np.arange(size)[::-1]):
        part, brought = env.step(take(state, which), tuple(a[which] for a in actions))
        expected = Step(
            tuple(r[which] for r in step.reward), step.terminated[which], step.truncated[which]
        )
        says = "step: a copy behaves differently in another batch"
        _same(env, (take(after, which), expected), (part, brought), says)
        seen, together = env.observe(take(state, which)), env.observe(state)
        says = "observe: a copy looks different in another batch"
        _same(env, tuple(o[which] for o in together), seen, says)
    keys = env.restart(state.key[-1:])
    says = "restart: a copy begins differently in another batch"
    _same(env, take(env.restart(state.key), [size - 1]), keys, says)


def _permutes(
    env: Env, state: Any, actions: Actions, after: Any, step: Step, rng: np.random.Generator
) -> None:
    """To exchange agents that are alike, and to step, can be swapped."""
    order = tuple(rng.permutation(len(g.agents)) for g in env.groups)
    moved = env.permuted(state, order)
    if moved is None:
        return
    given = tuple(a[:, o] for a, o in zip(actions, order, strict=True))
    there, brought = env.step(moved, given)
    rewards = zip(step.reward, brought.reward, order, strict=True)
    close = all(np.allclose(r[:, o], p, atol=1e-9) for r, p, o in rewards)
    _need(env, close, "permuted: rewards are not exchanged with the agents")
    ends = (step.terminated == brought.terminated) & (step.truncated == brought.truncated)
    _need(env, ends.all(), "permuted: ends differ")
    swapped: Any = env.permuted(after, order)
    for old, new in zip(swapped, there, strict=True):
        close = np.allclose(np.asarray(old, float), np.asarray(new, float), atol=1e-9)
        _need(env, close, "permuted: the next states are not exchanged with the agents")
    for old, new, o in zip(env.observe(state), env.observe(moved), order, strict=True):
        same = np.allclose(np.sort(old[:, o], axis=-1), np.sort(new, axis=-1), atol=1e-9)
        _need(env, same, "permuted: the agents see other numbers")


def _ended(env: Env, after: Any) -> None:
    """A copy that has ended cannot step."""
    which = np.flatnonzero(after.ended)[:1]
    if len(which) == 0:
        return
    over = take(after, which)
    rng = np.random.default_rng(0)
    try:
        env.step(over, random_actions(env, rng, over))
    except InputError:
        return
    raise ContractError(f"{env.name}: step: a copy that has ended goes on; need an InputError")


def _refuses(env: Env, state: Any, actions: Actions) -> None:
    """Actions of the wrong number, shape or range."""
    wrong: list[tuple[str, Actions]] = [
        ("a missing group", actions[1:]),
        ("an agent too many", tuple(np.concatenate([a, a], axis=1) for a in actions)),
        ("a copy too few", tuple(a[1:] for a in actions)),
    ]
    for k, g in enumerate(env.groups):
        bad = np.array(actions[k])
        if isinstance(g.space, Box):
            bad[...] = np.nan
            wrong.append(("an action that is no number", _replaced(actions, k, bad)))
            continue
        sizes = g.space.n if isinstance(g.space, Discrete) else g.space.sizes
        for value in (-1, np.max(sizes)):
            bad = np.array(actions[k])
            bad[...] = value
            wrong.append((f"action {value} of {g.name}", _replaced(actions, k, bad)))
    for what, given in wrong:
        try:
            env.step(state, given)
        except InputError:
            continue
        except Exception as error:
            says = f"step: {what}: need an InputError, got {type(error).__name__}: {error}"
            raise ContractError(f"{env.name}: {says}") from error
        raise ContractError(f"{env.name}: step: takes {what}")


def _replaced(actions: Actions, k: int, array: Real) -> Actions:
    return tuple(array if g == k else a for g, a in enumerate(actions))


def _advanced(env: Env, state: Any, actions: Actions, after: Any) -> Any:
    """The next state, with ended copies begun anew and no others."""
    result: Advance = advance(env, state, actions)
    _same(env, after, result.final, "advance: the final state is not that of step")
    going, ended = np.flatnonzero(~after.ended), np.flatnonzero(after.ended)
    says = "advance: changes copies that go on"
    _same(env, take(after, going), take(result.state, going), says)
    if len(ended):
        fresh = take(result.state, ended)
        _fresh(env, fresh, fresh.key, "advance")
        _need(env, (fresh.key != after.key[ended]).all(), "advance: the same key again")
    return result.state


def _pickled(env: Env) -> Env:
    """The environment after pickling."""
    try:
        copy: Env = pickle.loads(pickle.dumps(env))
    except Exception as error:
        raise ContractError(f"{env.name}: cannot be pickled: {error}") from error
    return copy


def _bits(tree: Any) -> Any:
    """Everything in a nested tuple of arrays, to compare later; of foreign worlds their number."""
    if isinstance(tree, tuple):
        return [_bits(part) for part in tree]
    array = np.asarray(tree)
    return array.dtype, array.shape, b"" if array.dtype == object else array.tobytes()


def _same(env: Env, one: Any, two: Any, says: str) -> None:
    """Whether two nested tuples of arrays hold the same bits."""
    _need(env, _equal(one, two), says)


def _equal(one: Any, two: Any) -> bool:
    if isinstance(one, tuple):
        pairs = zip(one, two, strict=False)
        return len(one) == len(two) and all(_equal(a, b) for a, b in pairs)
    a, b = np.asarray(one), np.asarray(two)
    if a.dtype == object:  # of foreign environments: nothing to compare
        return a.shape == b.shape
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=False)


def _kind(array: Any) -> str:
    """Type and shape, in words."""
    if not isinstance(array, np.ndarray):
        return type(array).__name__
    return f"{array.dtype} {array.shape}"
