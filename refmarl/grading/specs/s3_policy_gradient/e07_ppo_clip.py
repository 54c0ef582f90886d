"""What an answer to exercise 3.7 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient import surrogate
from ....testing.trajectories import SEEDS
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts
from ._softmax import kept, off_kinks, parts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    ratio: Array
    advantage: Array
    epsilon: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to six samples on both sides of the band and within; some advantages are 0."""
    rng = np.random.default_rng(draw(SEEDS))
    size, epsilon = draw(st.integers(1, 6)), draw(st.sampled_from([0.2, 0.1, 0.5, 1.5]))
    ratio = np.rint(100.0 * np.exp(rng.uniform(-1.5, 1.2, size))) / 100.0 + 0.005
    advantage = np.rint(4.0 * rng.uniform(-2.0, 2.0, size)) / 2.0
    return Case(off_kinks(ratio, epsilon), advantage, epsilon)


def _both(answer: Answer, case: Case) -> tuple[float, Array]:
    gain, slope = parts(answer(*case), ("L", ()), ("slope", case.ratio.shape))
    return float(gain), slope


def _shape(answer: Answer, case: Case) -> None:
    _both(answer, case)


def _gains(case: Case) -> Array:
    """By cases: for A ≥ 0 the ratio counts up to 1 + ε, for A < 0 from 1 − ε on."""
    up = np.minimum(case.ratio, 1.0 + case.epsilon)
    down = np.maximum(case.ratio, 1.0 - case.epsilon)
    return np.where(case.advantage >= 0, up, down) * case.advantage


def _value(answer: Answer, case: Case) -> None:
    close(_both(answer, case)[0], _gains(case).mean(), "L")


def _below(answer: Answer, case: Case) -> None:
    free = float((case.ratio * case.advantage).mean())
    found = _both(answer, case)[0]
    assert found <= free + 1e-9, f"L: got {found:.6g}, more than {free:.6g}, the mean of r A"


def _inside(answer: Answer, case: Case) -> None:
    near = 1.0 + 0.9 * min(case.epsilon, 1.0) * np.cos(case.ratio)
    gain, slope = _both(answer, case._replace(ratio=near))
    close(gain, (near * case.advantage).mean(), "L, where all ratios are in the band")
    close(slope, case.advantage / len(near), "slope, where all ratios are in the band")


def _flat(answer: Answer, case: Case) -> None:
    _, slope = _both(answer, case)
    over = (case.advantage > 0) & (case.ratio > 1.0 + case.epsilon)
    over |= (case.advantage < 0) & (case.ratio < 1.0 - case.epsilon)
    close(slope[over], np.zeros(over.sum()), "slope where the ratio has gone too far already")
    moves = ~over & (case.advantage != 0)
    assert (slope[moves] != 0).all(), f"slope: 0 at samples that should still move: {slope}"


def _called_back(answer: Answer, case: Case) -> None:
    # beyond the band on the wrong side: A > 0 below it, A < 0 above it
    wrong = np.where(case.advantage > 0, 0.5 * (1.0 - min(case.epsilon, 0.9)), 2.0 + case.epsilon)
    gain, slope = _both(answer, case._replace(ratio=wrong))
    close(gain, (wrong * case.advantage).mean(), "L, where all ratios went the wrong way")
    close(slope, case.advantage / len(wrong), "slope, where all ratios went the wrong way")


def _free(answer: Answer, case: Case) -> None:
    gain, slope = _both(answer, case._replace(epsilon=np.inf))
    close(gain, (case.ratio * case.advantage).mean(), "L for an infinite epsilon")
    close(slope, case.advantage / len(slope), "slope for an infinite epsilon")


def _derivative(answer: Answer, case: Case) -> None:
    _, slope = _both(answer, case)
    wanted = np.where(kept(case.ratio, case.advantage, case.epsilon), case.advantage, 0.0)
    close(slope, wanted / len(slope), "slope")


def _variant(
    outer: str = "min", clipped: str = "both", moves: str = "min", per: str = "mean",
    sign: float = 1.0, by_ratio: bool = False, own: bool = False,
) -> Answer:  # fmt: skip
    """The objective with one thing changed, for the wrong answers below."""

    def answer(ratio: Any, advantage: Any, epsilon: float) -> Any:
        low = -np.inf if clipped == "above" else 1.0 - epsilon
        high = np.inf if clipped == "below" else 1.0 + epsilon
        held = np.clip(ratio, low, high) * (ratio if own else advantage)
        free = ratio * advantage
        gain = {"min": np.minimum(free, held), "max": np.maximum(free, held), "held": held}[outer]
        inside = (ratio >= low) & (ratio <= high)
        where = {"min": gain == free, "inside": inside, "all": np.full(ratio.shape, True)}[moves]
        slope = sign * np.where(where, free if by_ratio else advantage, 0.0)
        return (sign * gain.sum() / (len(ratio) if per != "sum" else 1),
                slope / (1 if per != "mean" else len(ratio)))  # fmt: skip

    return answer


def _library(ratio: Any, advantage: Any, epsilon: float) -> Any:
    logs = np.log(np.asarray(ratio, dtype=float))
    gain, d_logs = surrogate.clip_gain(logs, 0.0 * logs, np.asarray(advantage, float), epsilon)
    return gain, d_logs / ratio  # d log r = dr / r


SPEC = Spec(
    exercise="ppo-clip",
    function="ppo_clip",
    cases=cases(),
    properties=(
        Property("a number, and a slope for each sample", _shape, "L is a mean.", gate=True),
        Property(
            "it never promises more than r A does",
            _below,
            "The smaller of two numbers is at most the first.",
            weight=0,
        ),
        Property(
            "within the band nothing is changed",
            _inside,
            "There clip(r) = r: L is the mean of r A, and its slope A / M.",
        ),
        Property(
            "the slope is 0 just where more would be abuse",
            _flat,
            "A > 0 and r > 1 + epsilon, or A < 0 and r < 1 - epsilon; in no other case but A = 0.",
        ),
        Property(
            "whoever went the wrong way is called back",
            _called_back,
            "A > 0 and r < 1 - epsilon: r A is the smaller one, and it moves. Clipping without the "
            "minimum forgets these samples for good.",
        ),
        Property(
            "without a limit nothing is clipped", _free, "epsilon = inf: L is the mean of r A."
        ),
        Property(
            "L is the mean of the smaller of both products",
            _value,
            "The minimum is taken for each sample, after multiplying by A: for A < 0 the larger "
            "ratio has the smaller product.",
            weight=2,
        ),
        Property(
            "the slope is the derivative of L in each ratio",
            _derivative,
            "Where r A is the smaller one: A / M. Where the clipped one is smaller: 0.",
            weight=2,
        ),
        layouts(_value, "advantage"),
        *PURE,
    ),
    mistakes=(
        Mistake("the larger of both is taken", _variant(outer="max")),
        Mistake("there is no minimum, only clipping", _variant(outer="held", moves="inside")),
        Mistake("all that is beyond the band stands still", _variant(moves="inside")),
        Mistake("the derivative does not know of the clipping", _variant(moves="all")),
        Mistake("ratios are clipped above only", _variant(clipped="above")),
        Mistake("ratios are clipped below only", _variant(clipped="below")),
        Mistake("the samples are summed", _variant(per="sum")),
        Mistake("the value is a mean and the derivative a sum", _variant(per="value")),
        Mistake("the sign is that of a loss", _variant(sign=-1.0)),
        Mistake("the derivative is that in log r", _variant(by_ratio=True)),
        Mistake("the clipped ratio is multiplied by the ratio", _variant(own=True)),
    ),
    reference=_library,
)
