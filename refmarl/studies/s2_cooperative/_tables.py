"""A figure's panel of small payoff tables, side by side."""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array


def panel(title: str, alt: str, tables: dict[str, Array]) -> plots.Panel:
    """Tables (K, K) under their names; the larger an entry above 0, the darker."""

    def draw(ax: Any) -> None:
        size = len(next(iter(tables.values())))
        top = max(float(t.max()) for t in tables.values())
        for k, (name, table) in enumerate(tables.items()):
            left = (size + 0.5) * k
            ax.text(left + size / 2, -0.25, name, ha="center", fontsize=8)
            for i, j in np.ndindex(size, size):
                x, y, value = left + j, float(i), float(table[i, j])
                corners = ([x, x + 1, x + 1, x], [y, y, y + 1, y + 1])
                alpha = 0.1 + 0.7 * min(max(value, 0.0) / top, 1.0)
                ax.fill(*corners, facecolor=plots.BLUE, alpha=alpha, edgecolor="none")
                text = f"{round(value, 2) + 0.0:.2f}" if size < 3 else f"{round(value, 1) + 0.0:g}"
                ax.text(x + 0.5, y + 0.55, text, ha="center", fontsize=7.5 if size < 3 else 6)
        wide = (size + 0.5) * len(tables)
        ax.set(xlim=(-0.2, wide - 0.3), ylim=(size + 0.2, -0.7), xticks=[], yticks=[])
        ax.set(xlabel="second player's action", ylabel="first player's action")
        ax.grid(False)
        ax.spines[:].set_visible(False)

    return plots.Panel(title, alt, draw)
