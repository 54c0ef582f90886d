r"""Proximal policy optimisation, independent for each agent of each group (IPPO).

    L^CLIP or L^KL of a batch of an older policy        surrogate               (3.7), (3.8)
    A_t by generalised advantages                       returns.gae             (3.5)

Schulman et al. 2017, arXiv:1707.06347; for several agents de Witt et al. 2020, arXiv:2011.09533. A
batch is gone through ``epochs`` times in minibatches of steps. The critic has parameters and an
optimiser of its own, so that c_1 of (3.19) is its step. Agents that are no longer alive move
nothing of the policy; their values learn that nothing comes any more. ``[+]`` marks what the
course's equations do not contain.

With ``memory`` H both networks stand on a GRU of their own, which is empty where an episode begins.
A minibatch is then the whole stretches of some copies, and derivatives go back through all T steps;
what was remembered before a stretch is a number.

Axes: T steps, B copies, N agents of a group, M rows of a minibatch: steps (t, b), or with a memory
(T, copies).
"""

from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from ..env_api import Env
from ..learner import Metrics, Progress
from ..nn import popart
from ..nn.mlp import MLP
from ..nn.optim import Adam, clip_norm
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..nn.schedules import linear
from ..rollout import Act, Arrays, Batch, Masks, begin, collect
from ..rollout import Policy as Acting
from ..value_grad import Real
from . import actor_critic, fused
from .actor_critic import advantages, along, begins, empty, pull_back, stretch, whole
from .ppo_networks import Config, actor, critic, named, named_width
from .surrogate import clip_gain, kl_estimates, next_beta, penalised_gain, value_loss

__all__ = [
    "Agent", "Config", "Part", "Rows", "View", "actor", "critic", "gradient", "iterate", "judged",
    "learnt", "named", "named_width", "part_of", "policy", "prepare", "standard", "start", "update",
]  # fmt: skip


class Agent(NamedTuple):
    """All that learning changes; one entry for each group."""

    theta: Arrays  # policy parameters, (P,) or (N, P)
    phi: Arrays  # value parameters, (P',) or (N, P')
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]
    beta: Real  # (G,) β of the penalty
    scale: tuple[popart.Scale, ...]  # of the critic's targets
    recall: Arrays = ()  # what critics remember before the next step, (B, n, H), if they do


class View(NamedTuple):
    """What a group's critic judges: what it sees, and what is paid; n is N, or 1 for all alike."""

    obs: Real  # (T + 1, B, n, C)
    final: Real  # (F, n, C) where episodes ended
    reward: Real  # (T, B, n)


class Rows(NamedTuple):
    """What an update needs of the steps that a minibatch draws; M is T · B at first.

    With a memory M is (T, B), and (1, B) for what was remembered before the stretch.
    """

    obs: Real  # (M, N, O)
    action: Real  # (M, N, …)
    log_prob: Real  # (M, N) of the policy that acted
    params: Real | None  # (M, N, D) of it, where the penalty needs them
    advantage: Real  # (M, N)
    seen: Real  # (M, n, C) by the critic
    target: Real  # (M, n), normalised by Pop-Art
    value: Real  # (M, n) of the critic that was, normalised alike
    mask: Real | None  # (M, N, K) or None: all actions legal
    acts: Real | None  # (M, N) or None: all agents act
    memory: Real | None = None  # (M, N, H) of the policy
    recall: Real | None = None  # (M, n, H) of the critic
    starts: Real | None = None  # (M,) where an episode begins


class Part(NamedTuple):
    """One group's share of an agent."""

    theta: Real
    phi: Real
    opt_theta: OptState
    opt_phi: OptState
    beta: float
    scale: popart.Scale
    recall: Real | None  # (B, n, H)


OPTIMISER = Adam(epsilon=1e-5)
TOLD = ("gain", "value_loss", "entropy", "clipped", "norm")  # of each minibatch
POPART_RATE = 0.05  # least weight of a batch in the running moments of the targets

# -- algorithm ----------------------------------------------------------------------


def start(
    env: Env, cfg: Config, rng: np.random.Generator, judged: tuple[tuple[int, int], ...] = ()
) -> Progress:
    """Networks with nearly uniform policies, and fresh copies of the environment.

    ``judged`` is (n, C) of what each group's critic sees, by default what its agents see.
    """
    init_rng, env_rng, act_rng, batch_rng = rng.spawn(4)
    theta: list[Real] = []
    phi: list[Real] = []
    scale, kind = [], np.dtype(cfg.dtype).type
    seen = judged or [(len(group.agents), named_width(cfg, group)) for group in env.groups]
    for group, (_, width) in zip(env.groups, seen, strict=True):
        lead = () if cfg.share else (len(group.agents),)
        nets = (whole(net, cfg.memory) for net in (actor(cfg, group), critic(cfg, width)))
        for part, net in zip((theta, phi), nets, strict=True):
            part.append(net.init(init_rng, lead, dtype=kind))
        scale.append(popart.begin((1,)))
    opt_theta, opt_phi = (tuple(map(OPTIMISER.init, part)) for part in (theta, phi))
    beta = np.full(len(env.groups), cfg.beta)
    kept, recall = (
        empty(counts, cfg.num_envs, cfg.memory, kind)
        for counts in ([len(group.agents) for group in env.groups], [n for n, _ in seen])
    )
    agent = Agent(tuple(theta), tuple(phi), opt_theta, opt_phi, beta, tuple(scale), recall)
    return Progress(0, 0, agent, begin(env, env_rng, cfg.num_envs, kept), (act_rng, batch_rng))


def policy(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How the agent acts."""
    actors = tuple(actor(cfg, group) for group in env.groups)
    inner = actor_critic.Actors(actors, agent.theta, rng, greedy, cfg.memory)
    if not cfg.ids or all(len(group.agents) == 1 for group in env.groups):
        return inner

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        return inner(tuple(named(cfg, o) for o in obs), mask, memory)

    return act


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies, and go through them ``epochs`` times."""
    roll, batch = collect(
        env, policy(env, cfg, progress.agent, progress.rngs[0]), progress.roll, cfg.num_steps
    )
    views = tuple(
        View(named(cfg, batch.obs[g]), named(cfg, batch.final[g]), batch.reward[g])
        for g in range(len(env.groups))
    )
    return learnt(env, cfg, progress._replace(roll=roll), batch, views)


def learnt(
    env: Env, cfg: Config, progress: Progress, batch: Batch, views: tuple[View, ...]
) -> tuple[Progress, Metrics]:
    """(progress after learning from the batch, metrics); ``views`` is what the critics judge."""
    iteration, steps, agent, roll, rngs = progress
    agent, metrics = update(env, cfg, agent, batch, views, iteration, rngs[1])
    if len(batch.returns):
        metrics |= {"return": float(batch.returns.mean()), "length": float(batch.lengths.mean())}
    return Progress(iteration + 1, steps + batch.steps, agent, roll, rngs), metrics


def update(
    env: Env,
    cfg: Config,
    agent: Agent,
    batch: Batch,
    views: tuple[View, ...],
    iteration: int,
    rng: np.random.Generator,
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after all epochs, for every group."""
    parts, found = [], []
    for g, view in enumerate(views):
        before = part_of(agent, g)
        net, judge = actor(cfg, env.groups[g]), critic(cfg, view.obs.shape[-1])
        before, data = prepare(cfg, net, judge, before, batch, view, g)
        part, metrics = _epochs(cfg, net, judge, before, data, iteration, rng)
        parts.append(part)
        found.append(metrics)
    mean = {key: float(np.mean([m[key] for m in found])) for key in found[0]}
    learnt = Agent(
        tuple(p.theta for p in parts), tuple(p.phi for p in parts),
        tuple(p.opt_theta for p in parts), tuple(p.opt_phi for p in parts),
        np.array([p.beta for p in parts]), tuple(p.scale for p in parts),
        tuple(p.recall for p in parts if p.recall is not None),
    )  # fmt: skip
    return learnt, mean


def part_of(agent: Agent, g: int) -> Part:
    """Group g's share."""
    return Part(
        agent.theta[g], agent.phi[g], agent.opt_theta[g], agent.opt_phi[g], float(agent.beta[g]),
        agent.scale[g], agent.recall[g] if agent.recall else None,
    )  # fmt: skip


def prepare(
    cfg: Config, net: Policy, judge: MLP, part: Part, batch: Batch, view: View, g: int
) -> tuple[Part, Rows]:
    """(the part with the targets' new scale and φ of the same predictions, rows).

    The rows are what stays fixed while a batch is gone through.
    """
    scale, phi = part.scale, part.phi
    normal, normal_final, recall = judged(cfg, judge, part, batch, view)
    v, final = (popart.denormalise(scale, x[..., None])[..., 0] for x in (normal, normal_final))
    # MAPPO's critics see the state s_t, and the reward is the team's
    advantage, target = advantages(cfg.gamma, cfg.lam, batch, v, final, view.reward)  # (3.17)
    if cfg.popart and np.isfinite(target).all():
        scale = popart.track(scale, target[..., None], POPART_RATE)
        last = popart.preserve(judge, phi[..., -judge.size :], part.scale, scale)
        phi = np.concatenate([phi[..., : -judge.size], last], axis=-1)
    target, old = (popart.normalise(scale, x[..., None])[..., 0] for x in (target, v[:-1]))
    acts = batch.alive[g]
    advantage = np.broadcast_to(advantage, batch.log_prob[g].shape)  # of V(s_t) if all share it
    if cfg.normalise:
        advantage = standard(advantage, acts)
    found = Rows(
        named(cfg, batch.obs[g][:-1]), batch.action[g], batch.log_prob[g], None, advantage,
        view.obs[:-1], target, old, batch.mask[g], acts,
    )  # fmt: skip
    if part.recall is None:
        found = _each(found, lambda x: x.reshape(-1, *x.shape[2:]))
    else:
        before = {"memory": batch.memory[g][None], "recall": part.recall[None]}
        found = found._replace(**before, starts=begins(batch)[:-1])
    if cfg.objective == "kl":
        found = found._replace(params=_params(cfg, net, part.theta, found))
    return part._replace(scale=scale, phi=phi, recall=recall), found


def judged(
    cfg: Config, judge: MLP, part: Part, batch: Batch, view: View
) -> tuple[Real, Real, Real | None]:
    """(V (T + 1, B, n), V (F, n) where episodes ended, what the critic remembers then)."""
    seen = view.obs, view.final
    v, final, _, kept = along(judge, cfg.memory, part.phi, seen, part.recall, batch)
    return v[..., 0], final[..., 0], kept


def _epochs(
    cfg: Config, net: Policy, judge: MLP, part: Part, data: Rows, iteration: int,
    rng: np.random.Generator,
) -> tuple[Part, dict[str, float]]:  # fmt: skip
    """(the part, metrics) after the passes over a batch."""
    rate = linear(iteration, cfg.iterations, cfg.lr) if cfg.anneal else cfg.lr
    clip = linear(iteration, cfg.iterations, cfg.clip) if cfg.clip_anneal else cfg.clip
    quick = None
    if cfg.objective == "clip":
        quick = fused.begin(net, judge, part.theta, part.phi, part.opt_theta, part.opt_phi, data)
    done: list[Real] = []
    for _ in range(cfg.epochs):
        order = rng.permutation(data.obs.shape[1 if cfg.memory else 0])
        if quick is None:
            part, told = _pass(cfg, net, judge, part, data, order, rate, clip)
        else:
            limits = (clip, cfg.dual or np.inf, cfg.value_clip or np.inf, cfg.entropy, cfg.max_norm)
            told = fused.one_pass(quick, OPTIMISER, order, cfg.minibatches, rate, limits)
            part = part._replace(theta=quick.theta, phi=quick.phi)
        done.append(told)
        if cfg.kl_stop and moved(cfg, net, part.theta, data) > cfg.kl_stop:
            break
    if quick is not None:
        opt_theta, opt_phi = fused.states(quick)
        part = part._replace(opt_theta=opt_theta, opt_phi=opt_phi)
    kl, told = moved(cfg, net, part.theta, data), np.concatenate(done)
    if cfg.objective == "kl" and np.isfinite(kl):
        part = part._replace(beta=next_beta(part.beta, kl, cfg.kl_target))
    mean = dict(zip(TOLD, told.mean(axis=0).tolist(), strict=True))
    return part, mean | {"kl": kl, "updates": float(len(told)), "beta": part.beta}


def _pass(
    cfg: Config, net: Policy, judge: MLP, part: Part, data: Rows, order: Real, rate: float,
    clip: float,
) -> tuple[Part, Real]:  # fmt: skip
    """(the part, what is told of each minibatch (U, 5)) after one pass in this order."""
    theta, phi, opt_theta, opt_phi, beta, *_ = part
    done = []
    for chosen in np.array_split(order, cfg.minibatches):
        some = _each(data, itemgetter((slice(None), chosen) if cfg.memory else chosen))
        d_theta, d_phi, metrics = gradient(cfg, net, judge, theta, phi, some, beta, clip)
        d_theta, norm = clip_norm(d_theta, cfg.max_norm)
        d_phi, _ = clip_norm(d_phi, cfg.max_norm)
        opt_theta, theta = OPTIMISER.update(opt_theta, theta, -d_theta, rate)
        opt_phi, phi = OPTIMISER.update(opt_phi, phi, d_phi, rate)
        metrics["norm"] = float(np.mean(norm))
        done.append([metrics[name] for name in TOLD])
    part = part._replace(theta=theta, phi=phi, opt_theta=opt_theta, opt_phi=opt_phi)
    return part, np.array(done)


def gradient(
    cfg: Config, net: Policy, judge: MLP, theta: Real, phi: Real, some: Rows, beta: float,
    clip: float,
) -> tuple[Real, Real, dict[str, float]]:  # fmt: skip
    """(∇ gain in the shape of θ, ∇ loss in the shape of φ, metrics) of one minibatch."""
    units, head, h = cfg.memory, net.head, remembered(some)
    params, tape = stretch(net, units, theta, some.obs, h[0], some.starts)
    params = net.restrict(params, some.mask)
    log_prob = head.log_prob(params, some.action)
    if cfg.objective == "clip":
        gain, d_log_prob = clip_gain(
            log_prob, some.log_prob, some.advantage, clip, dual=cfg.dual or np.inf, acts=some.acts
        )
        d_params = d_log_prob[..., None] * head.d_log_prob(params, some.action)
    else:
        old = params if some.params is None else some.params
        gain, d_params = penalised_gain(
            head, params, old, some.action, some.advantage, beta, some.acts
        )
    entropy = head.entropy(params)
    if cfg.entropy:
        share = np.ones(entropy.shape) if some.acts is None else some.acts
        share = (cfg.entropy * share / max(int(np.count_nonzero(share)), 1)).astype(params.dtype)
        d_params = d_params + share[..., None] * head.d_entropy(params)
        gain = gain + float((share * entropy).sum())
    v, seen = stretch(judge, units, phi, some.seen, h[1], some.starts)
    loss, d_v = value_loss(v[..., 0], some.value, some.target, cfg.value_clip or np.inf)
    d_theta = pull_back(net, units, theta, tape, d_params)
    d_phi = pull_back(judge, units, phi, seen, d_v[..., None])
    off = float((abs(np.expm1(log_prob - some.log_prob)) > clip).mean())
    metrics = {"gain": gain, "value_loss": loss, "entropy": float(entropy.mean()), "clipped": off}
    return d_theta, d_phi, metrics


def remembered(some: Rows) -> tuple[Real | None, Real | None]:
    """What the policy and the critic remembered before the rows, both (B, N, H) or None."""
    both = (some.memory, some.recall)
    return both[0] if both[0] is None else both[0][0], both[1] if both[1] is None else both[1][0]


def standard(advantage: Real, acts: Real | None = None) -> Real:
    """[+] Mean 0 and deviation 1 over those who act; advantages that are all alike become 0."""
    counted = np.asarray(advantage if acts is None else advantage[acts], dtype=np.float64)
    if not counted.size:
        return advantage
    centre, spread = counted.mean(), counted.std()
    if spread <= 1e-6 * abs(centre):  # nothing but rounding: it must not become the signal
        return np.zeros_like(advantage)
    return np.asarray((advantage - centre) / (spread + 1e-8), dtype=advantage.dtype)


def moved(cfg: Config, net: Policy, theta: Real, data: Rows) -> float:
    """KL(π_old ‖ π_θ) over the batch: exact for the penalty, else estimated from the samples."""
    params = _params(cfg, net, theta, data)
    acts = slice(None) if data.acts is None else data.acts
    if data.params is not None:
        each = net.head.kl(data.params, params)[acts]
        return max(float(each.mean()), 0.0) if each.size else 0.0
    now, old = net.head.log_prob(params, data.action)[acts], data.log_prob[acts]
    return kl_estimates(now, old)[2] if now.size else 0.0


# -- rows ---------------------------------------------------------------------------


def _each(data: Rows, change: Callable[[Real], Real]) -> Rows:
    """All that there is of the rows, changed."""
    return Rows(*(x if x is None else change(x) for x in data))  # type: ignore[arg-type]


def _params(cfg: Config, net: Policy, theta: Real, data: Rows) -> Real:
    """The distribution's parameters (M, N, D)."""
    found, _ = stretch(net, cfg.memory, theta, data.obs, remembered(data)[0], data.starts)
    return net.restrict(found, data.mask)
