"""Scenes of an environment as pictures: SVG, a page that plays them, an animated GIF.

Units of a scene become pixels of a box ``WIDTH`` wide, y upwards, the same scale both ways.
"""

import io
import math
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError
from ..env_api import GREY, Disc, Label, Scene, Segment
from .plots import BLUE, GREEN, INK, MUTED, ORANGE, PALETTE, PAPER, PURPLE, css, font_file

WIDTH = 360  # pixels: a telephone's, without shrinking
TALLEST, FLATTEST = 480, 90
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
NAMES = {light: name for name, (light, _) in PALETTE.items()}
HAIRLINE, TEXT = 1.5, 13  # pixels
STRIP = 8  # frames of the strip that is seen where no script runs
REST = 1500  # milliseconds that a GIF shows its end
MOST = 300  # frames of a picture; of longer episodes every second, third, … is shown


def pace(frames: int) -> float:
    """Frames a second: 20, or fewer for a short episode, which then takes five seconds."""
    return min(20.0, max(2.0, frames / 5.0))


class View(NamedTuple):
    """From a scene's units to pixels."""

    left: float
    top: float
    scale: float
    width: int
    height: int

    def point(self, at: tuple[float, float]) -> tuple[float, float]:
        """(x, y) in pixels, y downwards."""
        return (at[0] - self.left) * self.scale, (self.top - at[1]) * self.scale


def view(scene: Scene, width: int = WIDTH) -> View:
    """The box of a scene: as wide as is asked, as high as its limits say, within reason.

    Raises
    ------
    InputError
        If the limits enclose nothing.
    """
    left, right, bottom, top = scene.limits
    if not (right > left and top > bottom):
        raise InputError(f"scene: need left < right and bottom < top, got {scene.limits}")
    high, low = TALLEST * width / WIDTH, FLATTEST * width / WIDTH
    scale = min(width / (right - left), high / (top - bottom))
    height = max(low, (top - bottom) * scale)
    across, up = width / scale - (right - left), height / scale - (top - bottom)
    return View(left - across / 2, top + up / 2, scale, width, round(height))


def thin(scenes: Sequence[Scene], most: int = MOST) -> tuple[list[Scene], int]:
    """(at most ``most`` scenes, every how many-th they are); the last is always among them."""
    every = max(1, -(-(len(scenes) - 1) // max(1, most - 1)))
    kept = list(scenes[::every])
    return kept if kept[-1:] == list(scenes[-1:]) else [*kept, scenes[-1]], every


def _inks(scene: Scene) -> list[str]:
    """The colour of each shape; text without one is dark, or light where it lies on a disc."""
    inks: list[str] = []
    for k, shape in enumerate(scene.shapes):
        ink = MUTED if shape.colour == GREY else COLOURS[shape.colour % len(COLOURS)]
        if isinstance(shape, Label) and shape.colour == GREY:
            below = any(_covers(other, shape.at) for other in scene.shapes[:k])
            ink = PAPER if below else INK
        inks.append(ink)
    return inks


def _covers(shape: Any, at: tuple[float, float]) -> bool:
    """Whether a filled disc lies under a point."""
    if not isinstance(shape, Disc) or not shape.filled:
        return False
    return math.dist(shape.centre, at) <= shape.radius


# -- SVG --------------------------------------------------------------------------------


def svg(scene: Scene, box: View | None = None, page: bool = False) -> str:
    """The scene as an ``<svg>`` element; on a ``page`` its colours are the variables of its CSS."""
    box = box or view(scene)
    pairs = zip(scene.shapes, _inks(scene), strict=True)
    parts = [_element(shape, ink, box) for shape, ink in pairs]
    alone = "" if page else ' xmlns="http://www.w3.org/2000/svg" font-family="sans-serif"'
    head = (
        f'<svg{alone} viewBox="0 0 {box.width} {box.height}" role="img" '
        f'aria-label="{escape(scene.caption or "scene")}" font-size="{TEXT}" fill="none">'
    )
    text = "".join([head, *parts, "</svg>"])
    if page:
        for value, name in NAMES.items():
            text = text.replace(f'"{value}"', f'"var(--{name})"')
    return text


def _element(shape: Any, ink: str, box: View) -> str:
    if isinstance(shape, Disc):
        (x, y), r = box.point(shape.centre), max(shape.radius * box.scale, 1.0)
        how = f'fill="{ink}"' if shape.filled else f'stroke="{ink}" stroke-width="{HAIRLINE}"'
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" {how}/>'
    if isinstance(shape, Segment):
        (x, y), (u, v) = box.point(shape.start), box.point(shape.end)
        wide = max(shape.width * box.scale, HAIRLINE)
        ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}"'
        return f'<line {ends} stroke="{ink}" stroke-width="{wide:.1f}"/>'
    x, y = box.point(shape.at)
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="middle" dominant-baseline="central"'
    return f'<text {place} fill="{ink}">{escape(shape.text)}</text>'


# -- a page -----------------------------------------------------------------------------

STYLE = """
body{background:var(--paper);color:var(--ink);font:16px/1.45 system-ui,sans-serif;
margin:0 auto;max-width:48rem;padding:12px}
h1{font-size:1.2rem;margin:.2rem 0 .6rem}
#frames{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:10px}
figure{margin:0;display:none}
figure.key,.js figure.now{display:block}
.js figure.key:not(.now){display:none}
.js #frames{display:block}
svg{display:block;width:100%;height:auto;max-height:78vh;border:1px solid var(--grid);
border-radius:6px}
figcaption{color:var(--muted);font-size:.9rem;padding-top:4px;font-variant-numeric:tabular-nums}
#controls{display:none;gap:10px;align-items:center;margin-top:8px}
.js #controls{display:flex}
button{font:inherit;min-width:6rem;min-height:44px;color:var(--ink);background:var(--paper);
border:1px solid var(--muted);border-radius:6px}
input{flex:1;min-height:44px;accent-color:var(--blue)}
"""
SCRIPT = """
(() => {
  const frames = [...document.querySelectorAll("figure")];
  const slider = document.querySelector("input"), button = document.querySelector("button");
  let at = 0, timer = 0;
  const show = k => {
    frames[at].classList.remove("now"); at = k; frames[at].classList.add("now"); slider.value = at;
  };
  const stop = () => { clearInterval(timer); timer = 0; button.textContent = "Play"; };
  const play = () => {
    if (at === frames.length - 1) show(0);
    button.textContent = "Pause";
    timer = setInterval(() => at < frames.length - 1 ? show(at + 1) : stop(), DELAY);
  };
  button.onclick = () => timer ? stop() : play();
  slider.oninput = () => { stop(); show(+slider.value); };
  document.body.classList.add("js");
  show(0); stop();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) play();
})();
"""


def page(scenes: Sequence[Scene], title: str, fps: float = 20.0) -> str:
    """One HTML file, complete in itself: plays the scenes; without a script it shows a strip."""
    kept, every = thin(scenes)
    box = view(kept[0])
    keys = set(np.linspace(0, len(kept) - 1, min(STRIP, len(kept))).round().astype(int).tolist())
    figures = [
        f"<figure{' class=key' * (k in keys)}>{svg(scene, _like(scene, box), page=True)}"
        f"<figcaption>{escape(scene.caption) or '&nbsp;'}</figcaption></figure>"
        for k, scene in enumerate(kept)
    ]
    script = SCRIPT.replace("DELAY", str(round(1000 * every / fps)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{css()}{STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1>\n<div id=frames>\n" + "\n".join(figures) + "\n</div>\n"
        '<div id=controls><button type="button">Play</button>'
        f'<input type="range" min="0" max="{len(kept) - 1}" value="0" aria-label="frame"></div>\n'
        f"<script>{script}</script></body></html>\n"
    )


def _like(scene: Scene, box: View) -> View:
    """The scene's own view, in the size of the first one's box."""
    own = view(scene, box.width)
    return own if own.height == box.height else own._replace(height=box.height)


# -- GIF --------------------------------------------------------------------------------


def gif(scenes: Sequence[Scene], fps: float = 20.0, width: int = WIDTH) -> bytes:
    """An animated GIF with each scene's caption below it; rests at its end, and begins again."""
    from PIL import Image

    kept, every = thin(scenes)
    fine = 2  # drawn larger and shrunk, for smooth edges
    box = view(kept[0], fine * width)
    font = _font(fine * TEXT)
    frames = []
    for scene in kept:
        big = _paint(scene, _like(scene, box), font, fine)
        small = big.resize((big.width // fine, big.height // fine), Image.Resampling.LANCZOS)
        frames.append(small.quantize(64, dither=Image.Dither.NONE))
    stream = io.BytesIO()
    delay = max(20, 10 * round(100 * every / fps))  # GIF counts hundredths of a second
    shown = [delay] * (len(frames) - 1) + [max(delay, REST)]
    frames[0].save(
        stream, "GIF", save_all=True, append_images=frames[1:], duration=shown, loop=0, disposal=1
    )
    return stream.getvalue()


def _paint(scene: Scene, box: View, font: Any, fine: int) -> Any:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (box.width, box.height + 2 * fine * TEXT), PAPER)
    draw = ImageDraw.Draw(image)
    for shape, ink in zip(scene.shapes, _inks(scene), strict=True):
        if isinstance(shape, Disc):
            (x, y), r = box.point(shape.centre), max(shape.radius * box.scale, fine)
            place = (x - r, y - r, x + r, y + r)
            if shape.filled:
                draw.ellipse(place, fill=ink)
            else:
                draw.ellipse(place, outline=ink, width=round(fine * HAIRLINE))
        elif isinstance(shape, Segment):
            ends = [box.point(shape.start), box.point(shape.end)]
            draw.line(ends, ink, max(round(shape.width * box.scale), round(fine * HAIRLINE)))
        elif isinstance(shape, Label):
            draw.text(box.point(shape.at), shape.text, ink, font, anchor="mm")
    base = (box.width / 2, box.height + fine * TEXT)
    draw.text(base, scene.caption, MUTED, font, anchor="mm")
    return image


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(font_file(), size)
