"""Counterfactual regret minimisation on two small pokers, beside published numbers.

NashConv of the average strategies is exact at every recorded time. With both players updating at
once it equals the sum of their regrets, divided by T, which the positive parts of the regrets at
all information sets bound; alternating updates and CFR+ have no such identity, and are faster.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games.extensive import (
    CfrPlay,
    ExtensiveGame,
    cfr,
    expected_value,
    kuhn,
    leduc,
    nash_conv,
    solve,
)
from ..published import PUBLISHED
from ..study import Outcome, Row, at_most, close, equal

LEDUC_VALUE = (
    -0.085606424078
)  # Lanctot et al. 2017, arXiv:1711.00832; OpenSpiel, sequence_form_lp_test
FROM = 100  # slopes are fitted from this round on
STYLES = {
    "CFR": (plots.BLUE, "-"),
    "CFR+": (plots.ORANGE, "--"),
    "CFR, both at once": (plots.GREEN, "-."),
}


class Curve(NamedTuple):
    """One run, and the NashConv of its averages."""

    play: CfrPlay
    conv: Array  # (K,)

    def slope(self) -> float:
        """Of log NashConv over log t, by least squares from round ``FROM`` on."""
        late = self.play.times >= FROM
        t, conv = np.log(self.play.times[late]), np.log(self.conv[late])
        return float(np.polyfit(t, conv, 1)[0])


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Three variants on both games."""
    first, second = kuhn(), leduc()
    steps, fewer = (1_000_000, 100_000) if full else (10_000, 3_000)
    small, large = _curves(first, steps), _curves(second, fewer)
    solution = solve(second)
    rows = (
        *_published(small),
        *_bounded(first, small["CFR, both at once"]),
        *_slopes("Kuhn", small),
        *_slopes("Leduc", large),
        *_values(first, second, small, large, solution.value),
        at_most("Leduc: NashConv of the linear program's strategy", solution.nash_conv, 1e-9),
    )
    caption = (
        "NashConv of the average strategies against the number of rounds, both on log axes. "
        "First: Kuhn poker; dots are the published numbers, the thin line has the slope −1/2 "
        "of the bounds. Second: Leduc poker, 288 information sets. Third: Kuhn with both players "
        "updating at once: NashConv, the bound by the regrets at the information sets, and the "
        "bound known in advance."
    )
    panels = (
        _kuhn_panel(small),
        _curves_panel("Leduc poker", large),
        _bounds_panel(first, small["CFR, both at once"]),
    )
    sample = (
        f"{steps:,} rounds of Kuhn and {fewer:,} of Leduc poker; exact expectations, no random "
        "numbers."
    )
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def _curves(game: ExtensiveGame, steps: int) -> dict[str, Curve]:
    """The variants; the published rounds are among the recorded ones."""
    listed = PUBLISHED["S1.08"].data["iterations"]
    times = np.union1d(listed, np.geomspace(1, steps, 90).round())
    options = ((False, True), (True, True), (False, False))
    found = {}
    for name, (plus, alternating) in zip(STYLES, options, strict=True):
        play = cfr(game, steps, plus=plus, alternating=alternating, times=times)
        found[name] = Curve(play, np.array([nash_conv(game, x) for x in play.averages]))
    return found


def regret_bound(game: ExtensiveGame, regrets: Array) -> Array:
    """Σ over information sets of the positive part of their largest regret; (K, S) → (K,)."""
    largest = np.maximum.reduceat(regrets, game.offset[:-1], axis=-1)
    bound: Array = np.maximum(largest, 0.0).sum(axis=-1)
    return bound


def known_bound(game: ExtensiveGame, times: Array) -> Array:
    """Δ Σ_i |I_i| √A / √T, with Δ the range of the payoffs and A the most actions."""
    spread, most = float(np.ptp(game.payoff)), int(np.diff(game.offset).max())
    bound: Array = spread * len(game.owner) * np.sqrt(most / times)
    return bound


def _published(found: dict[str, Curve]) -> list[Row]:
    data = PUBLISHED["S1.08"].data
    rows = []
    for name, key in (("CFR", "cfr"), ("CFR+", "cfr_plus")):
        curve = found[name]
        got = curve.conv[np.isin(curve.play.times, data["iterations"])]
        off = float(np.abs(got - data[key]).max())
        rows.append(at_most(f"Kuhn, {name}: distance from six published values", off, 1e-9))
    return rows


def _bounded(game: ExtensiveGame, curve: Curve) -> list[Row]:
    """0 = first ≤ second ≤ third, for updates at once."""
    regrets = regret_bound(game, curve.play.regrets)
    known = known_bound(game, curve.play.times.astype(float))
    return [
        equal(
            "Kuhn, both at once: times at which NashConv exceeds the regrets' bound",
            int((curve.conv > regrets + 1e-12).sum()),
            0,
        ),
        equal(
            "the same: times at which the regrets exceed the bound known in advance",
            int((regrets > known).sum()),
            0,
        ),
    ]


def _slopes(game: str, found: dict[str, Curve]) -> list[Row]:
    """Of what is as a rule faster than its theory; updates at once are no faster than theirs."""
    names = ("CFR", "CFR+")
    return [
        at_most(f"{game}, {name}: slope from round {FROM}", found[name].slope(), -0.5)
        for name in names
    ]


def _values(
    first: ExtensiveGame,
    second: ExtensiveGame,
    small: dict[str, Curve],
    large: dict[str, Curve],
    value: float,
) -> list[Row]:
    """The value of a profile is off by its NashConv at most."""
    best = small["CFR+"].play.averages[-1]
    near = large["CFR+"]
    bets = {name: best[first.offset[first.information.index(name)] + 1] for name in "JK"}
    got = expected_value(second, near.play.averages[-1])
    return [
        close("Kuhn: value of CFR+'s last average", expected_value(first, best), -1 / 18,
              small["CFR+"].conv[-1]),
        close("Kuhn: bets with the king, less three times those with the jack",
              float(bets["K"] - 3 * bets["J"]), 0.0, 0.02),
        close("Leduc: value by linear programming", value, LEDUC_VALUE, 1e-9),
        close("Leduc: value of CFR+'s last average", got, LEDUC_VALUE, near.conv[-1]),
    ]  # fmt: skip


# -------------------------------------------------------------------------------------- figures


def _lines(ax: Any, found: dict[str, Curve]) -> None:
    for name, curve in found.items():
        color, line = STYLES[name]
        ax.loglog(curve.play.times, curve.conv, color=color, linestyle=line, label=name)
    ax.set(xlabel="rounds", ylabel="NashConv (chips)")


def _kuhn_panel(found: dict[str, Curve]) -> plots.Panel:
    data = PUBLISHED["S1.08"].data
    last = found["CFR"].play.times[-1]

    def draw(ax: Any) -> None:
        _lines(ax, found)
        for key, name in (("cfr", "CFR"), ("cfr_plus", "CFR+")):
            ax.plot(data["iterations"], data[key], "o", color=STYLES[name][0], markersize=4.5)
        ends = np.array([1.0, last])
        ax.loglog(ends, 0.9 / np.sqrt(ends), color=plots.MUTED, linewidth=0.9)

    names = ", ".join(f"{k} {c.conv[-1]:.1e}" for k, c in found.items())
    return plots.Panel("Kuhn poker", f"NashConv after {last:,} rounds: {names}.", draw)


def _curves_panel(title: str, found: dict[str, Curve]) -> plots.Panel:
    names = ", ".join(f"{k} {c.conv[-1]:.1e}" for k, c in found.items())
    last = found["CFR"].play.times[-1]
    alt = f"NashConv after {last:,} rounds: {names}."
    return plots.Panel(title, alt, lambda ax: _lines(ax, found))


def _bounds_panel(game: ExtensiveGame, curve: Curve) -> plots.Panel:
    times = curve.play.times.astype(float)
    lines = (
        (known_bound(game, times), "known in advance"),
        (regret_bound(game, curve.play.regrets), "by the regrets"),
        (curve.conv, "NashConv"),
    )

    def draw(ax: Any) -> None:
        for (values, label), (color, line) in zip(lines, plots.CYCLE[::-1][1:], strict=True):
            ax.loglog(times, values, color=color, linestyle=line, label=label)
        ax.set(xlabel="rounds", ylabel="chips")

    ends = ", ".join(f"{label} {values[-1]:.1e}" for values, label in lines)
    return plots.Panel("Both at once: bounds", f"Three lines, after all rounds: {ends}.", draw)
