"""Networks of PyTorch with our parameters, and what its programs of section 2 have in common."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

from ...value_grad import Real
from ..task import Peer, Task


class Given(NamedTuple):
    """How many updates, and a seed."""

    size: int
    seed: int


class Moved(NamedTuple):
    """What the last update said."""

    loss: float  # of the critic
    gain: float  # of the actors, or the value where there are none


def given(seed: int, size: int) -> tuple[Given, ...]:
    """The number of updates is the size."""
    return (Given(size, seed),)


def same(truth: Moved, got: Moved) -> bool:
    """The same to 1e-3 of their size: sums in float32 run in another order."""
    pairs = zip(truth, got, strict=True)
    return all(abs(ours - theirs) <= 1e-3 * max(abs(ours), 1e-2) for ours, theirs in pairs)


def load() -> Any:
    """PyTorch, on one thread."""
    torch = import_module("torch")
    torch.set_num_threads(1)
    return torch


class Reader:
    """Takes matrices off a flat vector, from its beginning on."""

    def __init__(self, torch: Any, flat: Real) -> None:
        self.torch, self.flat, self.at = torch, flat, 0

    def take(self, *shape: int) -> Any:
        """The next numbers, in this shape."""
        count = 1
        for n in shape:
            count *= n
        part = self.flat[self.at : self.at + count].reshape(shape)
        self.at += count
        return self.torch.tensor(part)

    def perceptron(self, sizes: Sequence[int], hidden: Any) -> Any:
        """Linear layers with ``hidden()`` between them; theirs multiply from the other side."""
        layers: list[Any] = []
        for i, o in pairwise(sizes):
            layer = self.torch.nn.Linear(i, o)
            self._fill(layer.weight, self.take(i, o).T)
            self._fill(layer.bias, self.take(o))
            layers += [layer, hidden()]
        return self.torch.nn.Sequential(*layers[:-1])

    def matrix(self, inputs: int, outputs: int) -> Any:
        """A product without an offset."""
        layer = self.torch.nn.Linear(inputs, outputs, bias=False)
        self._fill(layer.weight, self.take(inputs, outputs).T)
        return layer

    def gru(self, inputs: int, units: int) -> Any:
        """A recurrent layer; of its two offsets of r and z one alone learns, as there is one."""
        torch, wide = self.torch, 3 * units
        layer = torch.nn.GRU(inputs, units)
        self._fill(layer.weight_ih_l0, self.take(inputs, wide).T)
        self._fill(layer.weight_hh_l0, self.take(units, wide).T)
        self._fill(layer.bias_ih_l0, self.take(wide))
        learns = torch.cat([torch.zeros(2 * units), torch.ones(units)])
        self._fill(layer.bias_hh_l0, torch.cat([torch.zeros(2 * units), self.take(units)]))
        layer.bias_hh_l0.register_hook(lambda slope: slope * learns)
        return layer

    def _fill(self, parameter: Any, value: Any) -> None:
        with self.torch.no_grad():
            parameter.copy_(value)


class Stepper:
    """Adam on some parameters, their gradient cut to a norm."""

    def __init__(self, torch: Any, parameters: Sequence[Any], rate: float, norm: float) -> None:
        self.torch, self.parameters, self.norm = torch, list(parameters), norm
        self.adam = torch.optim.Adam(self.parameters, lr=rate)

    def down(self, loss: Any) -> None:
        """One step down the gradient of a loss."""
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.parameters, self.norm)
        self.adam.step()


def follow(torch: Any, slow: Any, fast: Any, tau: float) -> None:
    """φ' ← τ φ + (1 − τ) φ'."""
    with torch.no_grad():
        for s, p in zip(slow.parameters(), fast.parameters(), strict=True):
            s.lerp_(p, tau)


def task(
    name: str, title: str, ours: Callable[[Given], Any], peers: Mapping[str, Callable[[Given], Any]]
) -> Task:
    """Updates of a learner, ours and PyTorch's: what prepares one has ``run() → (loss, gain)``."""
    return Task(
        name=name, title=title, size="updates", sizes=(5, 20), quick=(5,), inputs=given,
        ours=_peer("refmarl", "refmarl", ours), same=same, patience=60.0,
        peers=tuple(_peer(who, "torch", prepare) for who, prepare in peers.items()),
    )  # fmt: skip


def _peer(name: str, package: str, prepare: Callable[[Given], Any]) -> Peer:
    return Peer(name=name, package=package, prepare=prepare, run=_run, answer=_moved)


def _run(learner: Any) -> Any:
    return learner.run()


def _moved(given: Given, result: tuple[float, float]) -> Moved:
    return Moved(*result)
