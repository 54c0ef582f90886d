"""Figures: the only file that imports matplotlib.

A :class:`Panel` is one pair of axes with a text for those who cannot see it, a :class:`Figure` a
caption over several. Panels are narrow on purpose: the report sets them side by side on a wide
screen and below each other on a telephone, without shrinking their letters.

Colours are named here once. In the report they become CSS variables, so that one drawing serves a
light and a dark page; no two lines of a panel differ in colour alone.
"""

import io
import re
from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np

from ..check import Array

WIDTH, HEIGHT = 3.5, 2.9  # inches; 336 CSS pixels wide

# name: on a light page, on a dark one (Okabe & Ito's hues at a contrast of at least 3 to 1)
PALETTE = {
    "ink": ("#1c2024", "#e8eaed"),
    "muted": ("#5f666e", "#a9b0b8"),
    "grid": ("#dfe2e6", "#363c43"),
    "paper": ("#fefefe", "#191c20"),
    "blue": ("#0068a8", "#6db9f2"),
    "orange": ("#c24a00", "#ff9d5c"),
    "green": ("#00775a", "#45cfa6"),
    "purple": ("#a63d7f", "#ee9fd0"),
    "sky": ("#8fbfdd", "#37627f"),
}
INK, MUTED, GRID, PAPER, BLUE, ORANGE, GREEN, PURPLE, SKY = (c[0] for c in PALETTE.values())
CYCLE = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"))  # colour and line style
LETTERS = 14  # of a legend, an inch

_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "lines.markersize": 6,
    "svg.fonttype": "none",
    "svg.hashsalt": "refmarl",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


class Panel(NamedTuple):
    """One pair of axes: ``draw(ax)`` fills it, ``alt`` says in words what is to be seen."""

    title: str
    alt: str
    draw: Callable[[Any], None]
    size: tuple[float, float] = (WIDTH, HEIGHT)


class Figure(NamedTuple):
    """Panels that belong together, and their caption."""

    caption: str
    panels: tuple[Panel, ...]
    lead: int = 0  # the panel that stands for the others where there is room for one


def _fill(figure: Any, panel: Panel) -> None:
    """Draw the panel on the whole of a matplotlib figure or subfigure."""
    ax = figure.subplots()
    ax.set_title(panel.title)
    panel.draw(ax)
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        labels, ncols = legend(labels, panel.size[0])
        figure.legend(handles, labels, loc="outside lower center", ncols=ncols, handlelength=2.2)


def legend(labels: Sequence[str], width: float) -> tuple[list[str], int]:
    """(the labels, long ones on several lines, columns) that fit into ``width`` inches."""
    whole = int(LETTERS * width)
    ncols = 2 if max(map(len, labels)) <= (whole - 14) // 2 else 1  # 14: lines and gaps
    return ["\n".join(wrap(label, whole - 8)) for label in labels], ncols


def look(k: int) -> tuple[str, str]:
    """(colour, line style) of the k-th of up to 16 lines: no two are the same."""
    colours, lines = zip(*CYCLE, strict=True)
    return colours[k % len(CYCLE)], lines[(k + k // len(CYCLE)) % len(CYCLE)]


def _canvas(size: tuple[float, float], **options: Any) -> Any:
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=size, layout="constrained", **options)


def svg(panel: Panel, name: str) -> str:
    """The panel as an ``<svg>`` element for a page that defines :func:`css`.

    ``name`` (letters, digits, hyphens) makes the identifiers in it unique on the page. There is
    no date, no metadata and no address in the text: equal panels give equal bytes.
    """
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        figure = _canvas(panel.size)
        _fill(figure, panel)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return _inline(stream.getvalue(), panel, name)


def _inline(text: str, panel: Panel, name: str) -> str:
    """A stand-alone SVG document as an element of an HTML page."""
    from html import escape

    head = f'<svg role="img" aria-label="{escape(panel.alt)}" '
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'<g id="[^"]*">', "<g>", text)  # nothing refers to groups
    text = re.sub(r'(?<= id=")|(?<=href="#)|(?<=url\(#)', f"{name}-", text)
    variables = {light: f"var(--{key})" for key, (light, _) in PALETTE.items()}
    text = re.sub(r"#[0-9a-f]{6}\b", lambda m: variables.get(m[0], m[0]), text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    return text.replace("<svg ", head, 1)


def font_file() -> str:
    """A sans-serif font with Greek letters, as a file: the one that comes with matplotlib."""
    from matplotlib import get_data_path

    return f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf"


def css() -> str:
    """The colours as CSS variables, for a light and for a dark page."""
    light, dark = ("".join(f"--{key}:{pair[k]};" for key, pair in PALETTE.items()) for k in (0, 1))
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        "svg *{stroke-linejoin:round;stroke-linecap:butt}\n"
    )


def picture(panels: Sequence[Panel], kind: str, columns: int = 3, dpi: int = 150) -> bytes:
    """The panels in a grid on white, as the bytes of one file; ``kind`` is "png" or "svg"."""
    import matplotlib

    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with matplotlib.rc_context(_STYLE):
        width, height = (max(p.size[k] for p in panels) for k in (0, 1))
        figure = _canvas((columns * width, rows * height), facecolor="white")
        cells = np.ravel(figure.subfigures(rows, columns, squeeze=False, wspace=0.03, hspace=0.05))
        for cell, panel in zip(cells, panels, strict=False):
            cell.set_facecolor("white")
            _fill(cell, panel)
        stream = io.BytesIO()
        undated: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(stream, format=kind, dpi=dpi, metadata=undated)
    return _smaller(stream.getvalue()) if kind == "png" else stream.getvalue()


def _smaller(picture: bytes) -> bytes:
    """The same picture with 256 colours instead of 16 million: a third of the size."""
    from PIL import Image  # comes with matplotlib

    stream = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        stream, format="png", optimize=True
    )
    return stream.getvalue()


# ---------------------------------------------------------------------------- drawing helpers


def mark(ax: Any, point: Sequence[float] | Array, pure: bool = True, label: str = "") -> None:
    """An equilibrium: a filled dot where it is pure, an open one where it is mixed."""
    ax.plot(
        *([c] for c in point),
        marker="o",
        markersize=7.5,
        markerfacecolor=INK if pure else PAPER,
        markeredgecolor=INK,
        markeredgewidth=1.6,
        linestyle="none",
        clip_on=False,
        zorder=5,
        label=label or None,
    )


def band(ax: Any, x: Array, low: Array, high: Array, color: str) -> None:
    """The area between two curves."""
    ax.fill_between(x, low, high, color=color, alpha=0.22, linewidth=0)


def margin(ax: Any, note: str) -> None:
    """A few small words above the axes, on the right."""
    if note:
        ax.text(1.0, 1.02, note, transform=ax.transAxes, ha="right", color=MUTED, fontsize=7.5)


CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])


def on_triangle(x: Array) -> Array:
    """Mixed strategies of three actions (..., 3) as points of the plane (..., 2)."""
    plane: Array = x @ CORNERS
    return plane


def triangle(ax: Any, names: Sequence[str]) -> None:
    """The simplex of three actions: its border, its corners' names, no axes."""
    border = CORNERS[[0, 1, 2, 0]]
    ax.plot(border[:, 0], border[:, 1], color=MUTED, linewidth=1.0)
    places = (("left", "top", -0.06), ("right", "top", -0.06), ("center", "bottom", 0.03))
    for (x, y), name, (across, up, lift) in zip(CORNERS, names, places, strict=True):
        ax.text(x, y + lift, name, ha=across, va=up)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_xlim(-0.06, 1.06)
    ax.set_ylim(-0.16, 1.02)


def arrow(ax: Any, path: Array, where: float, color: str) -> None:
    """An arrow head on a path (T, 2), at the share ``where`` of its points."""
    k = min(max(int(where * len(path)), 1), len(path) - 1)
    step = path[k] - path[k - 1]
    if np.hypot(*step) == 0.0:
        return
    ax.annotate(
        "", path[k], path[k] - step / np.hypot(*step) * 1e-3,
        arrowprops={"arrowstyle": "-|>", "color": color, "mutation_scale": 15, "linewidth": 0},
    )  # fmt: skip


REST = {"sink": ("o", INK), "source": ("o", PAPER), "saddle": ("X", PAPER), "centre": ("D", PAPER)}


def rest_point(ax: Any, point: Sequence[float] | Array, kind: str, label: bool = False) -> None:
    """A rest point of a flow by its shape: ● sink, ○ source, ✕ saddle, ◇ centre."""
    shape, face = REST[kind]
    ax.plot(
        *([c] for c in point),
        marker=shape,
        markersize=8.5 if shape == "X" else 7.0,
        markerfacecolor=face,
        markeredgecolor=INK,
        markeredgewidth=1.4,
        linestyle="none",
        clip_on=False,
        zorder=5,
        label=kind if label else None,
    )


def mosaic(
    ax: Any,
    classes: Sequence[Sequence[str]],
    looks: dict[str, tuple[str, float, str]],
    axes: Sequence[str],
) -> None:
    """A table of cells, the first row on top: each class has a colour, its opacity and a sign.

    ``axes`` names the rows and the columns; a class's name stands in the legend.
    """
    for i, line in enumerate(classes):
        for j, word in enumerate(line):
            color, alpha, sign = looks[word]
            corners = ([j, j + 1, j + 1, j], [i, i, i + 1, i + 1])
            ax.fill(*corners, facecolor=color, alpha=alpha, edgecolor="none")
            ax.fill(*corners, facecolor="none", edgecolor=PAPER, linewidth=1.0)
            ax.text(j + 0.5, i + 0.52, sign, ha="center", va="center", fontsize=7.5)
    for word, (color, alpha, sign) in looks.items():
        ax.fill([], [], facecolor=color, alpha=alpha, label=f"{word} {sign}".strip())
    middle = np.arange(len(axes)) + 0.5
    ax.set(xlim=(0, len(classes[0])), ylim=(len(classes), 0), aspect="equal")
    ax.set_xticks(middle, axes, fontsize=7.5)
    ax.set_yticks(middle, axes, fontsize=7.5)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
