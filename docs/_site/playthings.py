"""Things to move on a page: a still picture by the library, which refmarl.js brings to life.

Both draw from the same numbers, which stand in the page as JSON: the still picture shows what the
script shows before anything is moved.
"""

import json
from html import escape
from typing import Any

import numpy as np

from refmarl.analysis import plots
from refmarl.games import NormalForm
from refmarl.games.support import support_enumeration
from refmarl.policy_gradient.returns import gae, td_error
from refmarl.studies.s1_games.best_responses import curve

REWARD = np.array([0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 3.0])
VALUE = np.array([0.8, 0.9, 1.0, 0.2, 0.3, 0.4, 1.4, 1.6, 1.9, 2.4])
GAMMA, LAM = 0.95, 0.8


def html(name: str) -> str:
    """The element ``name``."""
    return {"gae": _gae, "payoffs": _payoffs}[name]()


def _element(name: str, data: dict[str, Any], slider: str, panel: plots.Panel, says: str) -> str:
    return (
        f'<div class="play" id="play-{name}" data-play=\'{escape(json.dumps(data), quote=True)}\'>'
        f'<div class="stage">{plots.svg(panel, "play-" + name)}</div>'
        f'<label class="needs-script" hidden>{slider}</label>'
        f'<p class="said">{says}</p></div>'
    )


def _gae() -> str:
    """Ten steps to a terminal state: TD errors as bars, advantages as a line, λ to move."""
    last = len(REWARD) - 1
    after = np.append(VALUE[1:], 0.0)
    ended = np.arange(len(REWARD)) == last
    delta = td_error(REWARD, VALUE, after, ended, GAMMA)
    found = gae(REWARD, VALUE, after, ended, ended, GAMMA, LAM)

    def draw(ax: Any) -> None:
        t = np.arange(len(delta))
        ax.bar(t, delta, color=plots.SKY, label="TD errors δ")
        ax.plot(t, found, color=plots.ORANGE, marker="o", label=f"advantages, λ = {LAM}")
        ax.axhline(0, color=plots.MUTED, linewidth=0.8)
        ax.set(xlabel="step t", ylabel="δ, Â")

    alt = (
        f"Ten TD errors as bars and the advantages for λ = {LAM} as a line through the later ones."
    )
    panel = plots.Panel("Advantages as λ moves", alt, draw, (5.2, 3.0))
    slider = (
        f'λ <input type="range" min="0" max="1" step="0.05" value="{LAM}"><output>{LAM}</output>'
    )
    says = (
        "λ = 0: every advantage is its own TD error. λ = 1: the sum of all later ones, discounted."
    )
    data = {"delta": delta.round(9).tolist(), "gamma": GAMMA, "lam": LAM}
    return _element("gae", data, slider, panel, says)


def _payoffs() -> str:
    """The stag hunt's prize to move: best-response curves and equilibria of a symmetric game."""
    prize = 4.0
    row = np.array([[prize, 0.0], [3.0, 2.0]])
    game = NormalForm.bimatrix(row, row.T)
    found = support_enumeration(game).profiles

    def draw(ax: Any) -> None:
        ax.plot(*curve(game, 0).T[::-1], color=plots.BLUE, label="BR₁(q)")
        ax.plot(*curve(game, 1).T, color=plots.ORANGE, linestyle="--", label="BR₂(p)")
        for x, y in found:
            plots.mark(ax, (x[0], y[0]), pure=bool(max(x) > 1 - 1e-9))
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="p, player 1 hunts the stag", ylabel="q, player 2")

    places = "; ".join(f"p = {x[0]:.3g}, q = {y[0]:.3g}" for x, y in found)
    alt = f"Best-response curves of the stag hunt with prize {prize:g}; equilibria at {places}."
    panel = plots.Panel("Stag hunt", alt, draw, (5.2, 3.4))
    slider = 'prize <input type="range" min="1" max="8" step="0.25" value="4"><output>4</output>'
    says = f"Equilibria: {places}."
    return _element("payoffs", {"row": row.tolist()}, slider, panel, says)
