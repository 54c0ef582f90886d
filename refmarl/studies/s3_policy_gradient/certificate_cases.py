"""Random cases of every derivative in refmarl.nn, each with the check that holds it.

``ALL`` maps module:function, below refmarl.nn, to a function of a Generator and of the method of
differences ("central" or "complex") that draws a case and returns the report on it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...nn import (
    GRU,
    MLP,
    Attention,
    Embedding,
    Policy,
    Recurrent,
    attention,
    bernoulli,
    beta,
    categorical,
    check_backward,
    check_gradient,
    check_hvp,
    check_jvp,
    dirichlet,
    fused,
    fused_gru,
    gaussian,
    gumbel_softmax,
    layer_norm,
    losses,
    tanh_gaussian,
)
from ...nn.activations import ACTIVATIONS
from ...nn.gradcheck import Report, join
from ...nn.multi_discrete import MultiDiscrete
from ...value_grad import Real

Rng = np.random.Generator
Check = Callable[[Rng, str], Report]
ALL: dict[str, Check] = {}
COMPLEX = (
    "mlp",
    "gru",
    "recurrent",
    "attention",
    "layer_norm",
    "embedding",
)  # modules that take complex numbers
SMOOTH = tuple(name for name, f in ACTIVATIONS.items() if not f.kink)


def _registered(name: str) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        ALL[name] = check
        return check

    return keep


def _rows(rng: Rng) -> tuple[int, ...]:
    """No axis, one row, several, or two axes."""
    some: tuple[tuple[int, ...], ...] = ((), (1,), (3,), (2, 2))
    return some[int(rng.integers(4))]


def _size(rng: Rng) -> int:
    return int(rng.integers(1, 4))


def _scale(rng: Rng) -> float:
    """Mostly 1, sometimes so large that everything saturates."""
    return float(rng.choice([1.0, 1.0, 20.0]))


# -- distributions ----------------------------------------------------------------------


def _logits(width: int, rng: Rng, rows: tuple[int, ...], size: int) -> Real:
    return np.asarray(_scale(rng) * rng.standard_normal((*rows, width * size)))


def _normal(rng: Rng, rows: tuple[int, ...], size: int) -> Real:
    mean = _scale(rng) * rng.standard_normal((*rows, size))
    return np.concatenate([mean, rng.uniform(-2.0, 1.0, (*rows, size))], axis=-1)


def _sets(rng: Rng, rows: tuple[int, ...], size: int) -> Real:
    return _logits(1, rng, rows, size + 3)


HEADS: dict[str, tuple[Callable[[int], Any], Callable[[Rng, tuple[int, ...], int], Real]]] = {
    "categorical": (lambda size: categorical, partial(_logits, 1)),
    "multi_discrete": (lambda size: MultiDiscrete((size, 1, 2)), _sets),
    "bernoulli": (lambda size: bernoulli, partial(_logits, 1)),
    "gaussian": (lambda size: gaussian, _normal),
    "tanh_gaussian": (lambda size: tanh_gaussian, _normal),
    "beta": (lambda size: beta, partial(_logits, 2)),
    "dirichlet": (lambda size: dirichlet, partial(_logits, 1)),
}


def _head(kind: str, verb: str, rng: Rng, method: str) -> Report:
    of, params = HEADS[kind]
    rows, size = _rows(rng), _size(rng)
    pi, old, new = of(size), params(rng, rows, size), params(rng, rows, size)
    if verb == "d_log_prob":
        action = pi.sample(rng, old)
        return check_gradient(lambda p: (pi.log_prob(p, action), pi.d_log_prob(p, action)), old)
    if verb == "d_entropy":
        return check_gradient(lambda p: (pi.entropy(p), pi.d_entropy(p)), old)
    if verb == "d_kl":
        return check_gradient(lambda p: (pi.kl(old, p), pi.d_kl(old, p)), new)
    if verb == "d_kl_old":
        return check_gradient(lambda p: (pi.kl(p, new), pi.d_kl_old(p, new)), old)
    return check_hvp(lambda p: pi.d_kl(old, p), pi.fisher, old, rng)


for _kind in HEADS:
    _owner = "MultiDiscrete." if _kind == "multi_discrete" else ""
    for _verb in ("d_log_prob", "d_entropy", "d_kl", "d_kl_old", "fisher"):
        ALL[f"{_kind}:{_owner}{_verb}"] = partial(_head, _kind, _verb)


@_registered("tanh_gaussian:backward")
def _draw(rng: Rng, method: str) -> Report:
    rows, size = _rows(rng), _size(rng)
    params, noise = _normal(rng, rows, size), rng.standard_normal((*rows, size))

    def forward(params: Real) -> Real:
        drawn = tanh_gaussian.draw(params, noise)
        return np.concatenate([drawn.action, drawn.log_prob[..., None]], axis=-1)

    def backward(params: Real, dy: Real) -> tuple[Real]:
        drawn = tanh_gaussian.draw(params, noise)
        return (tanh_gaussian.backward(params, drawn, dy[..., :-1], dy[..., -1]),)

    return check_backward(forward, backward, (params,), rng)


@_registered("gumbel_softmax:backward")
def _relaxed(rng: Rng, method: str) -> Report:
    logits = _logits(1, rng, _rows(rng), _size(rng))
    gumbel, tau = gumbel_softmax.noise(rng, logits.shape), float(rng.uniform(0.5, 2.0))

    def backward(logits: Real, dy: Real) -> tuple[Real]:
        return (gumbel_softmax.backward(gumbel_softmax.relax(logits, gumbel, tau), tau, dy),)

    return check_backward(lambda x: gumbel_softmax.relax(x, gumbel, tau), backward, (logits,), rng)


@_registered("gumbel_softmax:d_log_prob")
def _density(rng: Rng, method: str) -> Report:
    logits, tau = _logits(1, rng, _rows(rng), _size(rng)), float(rng.uniform(0.5, 2.0))
    y = gumbel_softmax.sample(rng, logits, tau)
    verbs = gumbel_softmax.log_prob, gumbel_softmax.d_log_prob
    return check_gradient(lambda x: (verbs[0](x, y, tau), verbs[1](x, y, tau)), logits)


@_registered("gumbel_softmax:fisher")
def _metric(rng: Rng, method: str) -> Report:
    """Of two choices: the divergence by a sum over the line."""
    logits, tau = rng.standard_normal(2), float(rng.uniform(0.7, 2.0))
    u = np.arange(-60.0, 60.0, 0.25)
    y = categorical.probs(np.stack([u, np.zeros_like(u)], axis=-1))

    def log_prob(x: Real) -> Real:
        return gumbel_softmax.log_prob(np.tile(x, (len(y), 1)), y, tau)

    density = 0.25 * y.prod(axis=-1) * np.exp(log_prob(logits))

    def gradient(x: Real) -> Real:
        score = gumbel_softmax.d_log_prob(np.tile(x, (len(y), 1)), y, tau)
        return np.asarray(-density @ score)

    return check_hvp(gradient, gumbel_softmax.fisher, logits, rng)


# -- losses -----------------------------------------------------------------------------


def _loss(name: str, rng: Rng, method: str) -> Report:
    loss = getattr(losses, name)
    y = np.atleast_1d(_scale(rng) * rng.standard_normal((*_rows(rng), _size(rng))))
    if name == "quantile_huber":
        target = rng.standard_normal((*y.shape[:-1], 2))
        levels = rng.uniform(0.05, 0.95, y.shape[-1])
        return check_gradient(lambda y: loss(y, target, levels), y)
    target = rng.random(y.shape)
    return check_gradient(lambda y: loss(y, target), y)


for _name in ("half_mse", "huber", "quantile_huber", "cross_entropy", "binary_cross_entropy"):
    ALL[f"losses:{_name}"] = partial(_loss, _name)


# -- networks ---------------------------------------------------------------------------


def _pull_back(net: Any, arrays: Any, rng: Rng, method: str, **more: Any) -> Report:
    """Of a network with a tape."""

    def forward(*arrays: Real) -> Real:
        return np.asarray(net.forward(*arrays, **more)[0])

    def backward(*given: Real) -> Any:
        *arrays, dy = given
        return net.backward(arrays[0], net.forward(*arrays, **more)[1], dy)

    return check_backward(forward, backward, arrays, rng, method=method)


def _along(net: Any, arrays: Any, rng: Rng, method: str, **more: Any) -> Report:
    at, apart = join(arrays)

    def jvp(at: Real, v: Real) -> Real:
        theta, *rest = apart(at)
        return np.asarray(net.jvp(theta, net.forward(theta, *rest, **more)[1], *apart(v)))

    return check_jvp(lambda at: net.forward(*apart(at), **more)[0], jvp, at, rng, method=method)


def _curved(net: Any, arrays: Any, rng: Rng, method: str, **more: Any) -> Report:
    """Of Σ (y + ¼ y⁴)."""
    at, apart = join(arrays)

    def gradient(at: Real) -> Real:
        theta, *rest = apart(at)
        y, tape = net.forward(theta, *rest, **more)
        return join(net.backward(theta, tape, 1.0 + y**3))[0]

    def product(at: Real, v: Real) -> Real:
        theta, *rest = apart(at)
        y, tape = net.forward(theta, *rest, **more)
        moved = net.hvp(theta, tape, 1.0 + y**3, lambda r: 3.0 * y * y * r, *apart(v))
        return join(moved)[0]

    return check_hvp(gradient, product, at, rng, method=method)


def _mlp(rng: Rng) -> tuple[MLP, tuple[Real, Real], dict[str, Real]]:
    sizes = tuple(_size(rng) for _ in range(int(rng.integers(2, 5))))
    net = MLP(sizes, str(rng.choice(SMOOTH)), bool(rng.integers(2)))
    theta = net.init(rng) + 0.3 * rng.standard_normal(net.size)
    return net, (theta, 3.0 * rng.standard_normal((*_rows(rng), sizes[0]))), {}


def _gru(rng: Rng) -> tuple[GRU, tuple[Real, ...], dict[str, Real]]:
    net, rows, steps = GRU(_size(rng), _size(rng)), _rows(rng), int(rng.integers(1, 5))
    theta = net.init(rng) + 0.5 * rng.standard_normal(net.size)
    x = _scale(rng) * rng.standard_normal((steps, *rows, net.inputs))
    h = rng.standard_normal((*rows, net.units))
    return net, (theta, x, h), {"starts": rng.random((steps, *rows)) < 0.3}


def _recurrent(rng: Rng) -> tuple[Recurrent, tuple[Real, ...], dict[str, Real]]:
    below, (_, x, h), more = _gru(rng)
    top = MLP((below.inputs + below.units, _size(rng), _size(rng)), str(rng.choice(SMOOTH)))
    net = Recurrent(top, below.units)
    theta = net.init(rng) + 0.3 * rng.standard_normal(net.size)
    return net, (theta, x, h), more


def _attention(rng: Rng) -> tuple[Attention, tuple[Real, ...], dict[str, Real]]:
    net = Attention(inputs=2, source=_size(rng), heads=_size(rng), units=2, outputs=_size(rng))
    theta, rows = net.init(rng) + 0.3 * rng.standard_normal(net.size), _rows(rng)
    m, s = _size(rng), _size(rng)
    x, source = rng.standard_normal((*rows, m, 2)), rng.standard_normal((*rows, s, net.source))
    return net, (theta, _scale(rng) * x, source), {"mask": rng.random((*rows, m, s)) < 0.7}


def _policy(kind: str, rng: Rng) -> tuple[Policy, tuple[Real, Real], dict[str, Real]]:
    policy = Policy(MLP((2, _size(rng), 2)), kind)
    theta = policy.init(rng) + 0.3 * rng.standard_normal(policy.size)
    return policy, (theta, rng.standard_normal((*_rows(rng), 2))), {}


def _of(make: Callable[[Rng], Any], check: Callable[..., Report], rng: Rng, method: str) -> Report:
    net, arrays, more = make(rng)
    return check(net, arrays, rng, method, **more)


_gaussian = partial(_policy, "gaussian")
NETWORKS: dict[str, Callable[[Rng], Any]] = {
    "mlp:MLP": _mlp,
    "gru:GRU": _gru,
    "recurrent:Recurrent": _recurrent,
    "attention:Attention": _attention,
    "policy:Policy": _gaussian,
}
for _net, _make in NETWORKS.items():
    for _check, _verb in ((_pull_back, "backward"), (_along, "jvp"), (_curved, "hvp")):
        if hasattr(_make(np.random.default_rng(0))[0], _verb):
            ALL[f"{_net}.{_verb}"] = partial(_of, _make, _check)


def _of_theta(make: Callable[[Rng], Any], verb: str, rng: Rng, method: str) -> Report:
    """``gradient``, ``vjp`` and ``per_sample`` of ½ Σ y²."""
    net, (theta, x), _ = make(rng)

    def loss(at: Real) -> tuple[Any, Real]:
        y, tape = net.forward(at, x)
        if verb == "vjp":
            found = net.vjp(at, x, y)[0]
        elif verb == "gradient":
            found = net.gradient(at, tape, y)
        else:
            found = net.per_sample(at, tape, y).reshape(-1, net.size).sum(axis=0)
        return 0.5 * (y * y).sum(), found

    return check_gradient(loss, theta, method=method)


ALL["mlp:MLP.vjp"] = partial(_of_theta, _mlp, "vjp")
for _verb in ("gradient", "per_sample"):
    ALL[f"mlp:MLP.{_verb}"] = partial(_of_theta, _mlp, _verb)
    ALL[f"policy:Policy.{_verb}"] = partial(_of_theta, _gaussian, _verb)


@_registered("mlp:MLP.input_gradient")
def _in_the_input(rng: Rng, method: str) -> Report:
    """``input_gradient`` of ½ Σ y²."""
    net, (theta, x), _ = _mlp(rng)

    def loss(at: Real) -> tuple[Any, Real]:
        y, tape = net.forward(theta, at)
        return 0.5 * (y * y).sum(), net.input_gradient(theta, tape, y)

    return check_gradient(loss, x, method=method)


@_registered("fused:pull_back")
def _compiled(rng: Rng, method: str) -> Report:
    """The compiled passes; without them, the definition."""
    net = MLP((2, _size(rng), _size(rng)))
    plan = fused.plan(net.sizes, "tanh", False)
    theta, x = net.init(rng), rng.standard_normal((130, 2))
    if plan is None:
        return _pull_back(net, (theta, x), rng, method)

    def backward(theta: Real, x: Real, dy: Real) -> Any:
        hidden = fused.forward(plan, theta, x).hidden
        return fused.pull_back(plan, theta, x, hidden, dy, True)

    return check_backward(lambda t, x: fused.forward(plan, t, x).y, backward, (theta, x), rng)


@_registered("fused_gru:pull_back")
def _compiled_in_time(rng: Rng, method: str) -> Report:
    """The compiled passes in x W = x and in h; without them, the definition."""
    units, steps, rows = _size(rng), 3, 130
    x, h = rng.standard_normal((steps, rows, 3 * units)), rng.standard_normal((rows, units))
    if not fused_gru.applies(x, h):
        return _of(_gru, _pull_back, rng, method)
    u, b, c = (rng.standard_normal(s) for s in ((units, 3 * units), 3 * units, units))
    starts, through = rng.random((steps, rows, 1)) < 0.3, np.eye(3 * units)

    def forward(x: Real, h: Real) -> Real:
        return fused_gru.forward(x, through, u, b, c, h, starts)

    def backward(x: Real, h: Real, dh: Real) -> Any:
        d_x, _, d_first = fused_gru.pull_back(u, tuple(forward(x, h)[1:]), starts, dh)
        return d_x, d_first

    return check_backward(lambda x, h: forward(x, h)[0], backward, (x, h), rng)


@_registered("embedding:Embedding.backward")
def _gathered(rng: Rng, method: str) -> Report:
    net, rows = Embedding(_size(rng), _size(rng)), _rows(rng)
    index = rng.integers(net.count, size=rows)

    def backward(theta: Real, dy: Real) -> tuple[Real]:
        return (net.backward(theta, index, dy),)

    arrays = (net.init(rng),)
    return check_backward(lambda t: net.forward(t, index), backward, arrays, rng, method=method)


@_registered("embedding:Embedding.jvp")
def _looked_up(rng: Rng, method: str) -> Report:
    net = Embedding(_size(rng), _size(rng))
    index, theta = rng.integers(net.count, size=_rows(rng)), net.init(rng)
    along: Callable[[Real, Real], Real] = lambda t, v: net.jvp(v, index)  # noqa: E731
    return check_jvp(lambda t: net.forward(t, index), along, theta, rng, method=method)


# -- parts that are functions, with a tape ----------------------------------------------


class _Passes(NamedTuple):
    """Functions with a tape as if they were a network, whose θ is their first argument."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    jvp: Callable[..., Real]
    hvp: Callable[..., Any]


def _one_head(rng: Rng) -> tuple[_Passes, tuple[Real, ...], dict[str, Real]]:
    """Of attention, with a mask; arguments are q, k, v."""
    rows, (m, s, d, e) = _rows(rng), (_size(rng) for _ in range(4))
    shapes = ((*rows, m, d), (*rows, s, d), (*rows, s, e))
    q, k, v = (rng.standard_normal(shape) for shape in shapes)
    mask = rng.random((*rows, m, s)) < 0.7

    def curved(q: Real, tape: Any, dy: Real, curvature: Any, *moves: Real) -> Any:
        (r_q, r_k, r_v), (r_y, r_w) = moves, attention.jvp(tape, *moves)
        moved = attention.AttendTape(r_q, r_k, r_v, r_w)
        return attention.r_backward(tape, dy, moved, curvature(r_y))

    passes = _Passes(
        lambda q, k, v: attention.attend(q, k, v, mask),
        lambda q, tape, dy: attention.backward(tape, dy),
        lambda q, tape, *moves: attention.jvp(tape, *moves)[0],
        curved,
    )
    return passes, (_scale(rng) * q, k, v), {}


def _normalised(rng: Rng) -> tuple[_Passes, tuple[Real, ...], dict[str, Real]]:
    """Layer normalisation; arguments are gain, shift, z."""
    rows, units = _size(rng), int(rng.integers(1, 6))
    gain, shift = rng.standard_normal((2, 1, units))

    def curved(gain: Real, tape: Any, dn: Real, curvature: Any, *moves: Real) -> Any:
        tangent = layer_norm.jvp(gain, tape, *moves)
        return layer_norm.r_backward(gain, tape, dn, moves[0], tangent, curvature(tangent.r_n))

    passes = _Passes(
        layer_norm.forward,
        layer_norm.backward,
        lambda gain, tape, *moves: layer_norm.jvp(gain, tape, *moves).r_n,
        curved,
    )
    return passes, (gain, shift, 2.0 * rng.standard_normal((rows, units))), {}


for _module, _maker in (("attention", _one_head), ("layer_norm", _normalised)):
    for _check, _verb in ((_pull_back, "backward"), (_along, "jvp"), (_curved, "r_backward")):
        ALL[f"{_module}:{_verb}"] = partial(_of, _maker, _check)
