"""Pictures of scenes: what is where, one file that needs nothing else, frames in order."""

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from PIL import Image

from refmarl.analysis.plots import INK, PAPER
from refmarl.analysis.render import MOST, REST, STRIP, WIDTH, gif, pace, page, svg, thin, view
from refmarl.check import InputError
from refmarl.env_api import GREY, Disc, Env, Label, Scene, Segment
from refmarl.training import registry

BOX = (-1.0, 1.0, -1.0, 1.0)


def scene(*shapes, caption="", limits=BOX):
    return Scene(limits, shapes, caption)


SPAN = st.floats(0.1, 50)
LIMITS = st.tuples(st.floats(-50, 50), SPAN, st.floats(-50, 50), SPAN).map(
    lambda t: (t[0], t[0] + t[1], t[2], t[2] + t[3])
)


@given(LIMITS, st.floats(0, 1), st.floats(0, 1))
def test_what_lies_within_the_limits_lies_in_the_box_in_true_proportion(limits, a, b):
    box = view(scene(limits=limits))
    left, right, bottom, top = limits
    assert box.width == WIDTH
    assert 90 <= box.height <= 480
    x, y = box.point((left + a * (right - left), bottom + b * (top - bottom)))
    assert -1e-6 <= x <= box.width + 1e-6
    assert -1 <= y <= box.height + 1
    u, v = box.point((left + a * (right - left) + 1.0, bottom + b * (top - bottom) + 1.0))
    assert_allclose([u - x, y - v], box.scale, rtol=1e-6)  # upwards is up, and a circle is one
    middle = box.point(((left + right) / 2, (bottom + top) / 2))
    assert_allclose(middle, (box.width / 2, box.height / 2), atol=0.51)


def test_limits_that_enclose_nothing_are_refused():
    for limits in ((1, 1, 0, 1), (0, 1, 2, 1), (np.nan, 1, 0, 1)):
        with pytest.raises(InputError, match="need left < right"):
            view(scene(limits=limits))


@given(st.integers(1, 1000), st.integers(2, 50))
def test_thinning_keeps_the_first_the_last_and_the_order(count, most):
    scenes = [scene(caption=str(k)) for k in range(count)]
    kept, every = thin(scenes, most)
    numbers = [int(s.caption) for s in kept]
    assert len(kept) <= most
    assert (numbers[0], numbers[-1]) == (0, count - 1)
    assert set(np.diff(numbers)[:-1].tolist()) <= {every}


def test_every_shape_is_drawn_and_text_is_only_text():
    shapes = (
        Disc((0, 0), 0.5, 0), Disc((0, 0), 0.2, 1, filled=False), Segment((-1, -1), (1, 1)),
        Segment((-1, 0), (1, 0), 0.1, 2), Label((0.5, 0.5), "<script>α & β", GREY),
    )  # fmt: skip
    text = svg(scene(*shapes, caption='"<b>'))
    for part, count in (("<circle", 2), ("<line", 2), ("<text", 1), ("<script", 0), ("<b>", 0)):
        assert text.count(part) == count
    assert "&lt;script&gt;α &amp; β" in text
    whole = page([scene(*shapes, caption="<b>x")], "<i>title")
    assert "<i>" not in whole
    assert "<b>" not in whole


def test_text_on_a_disc_is_light_and_beside_it_dark():
    disc = Disc((0, 0), 0.3, 0)
    for at, shapes, ink in (
        ((0.1, 0.1), (disc,), PAPER),
        ((0.5, 0.0), (disc,), INK),
        ((0.1, 0.1), (disc._replace(filled=False),), INK),
    ):
        assert f'fill="{ink}">7</text>' in svg(scene(*shapes, Label(at, "7")))
    assert f'fill="{INK}">7</text>' in svg(scene(Label((0, 0), "7"), disc))


def frames(count):
    """A disc that goes from left to right."""
    at = np.linspace(-0.8, 0.8, count)
    return [scene(Disc((x, 0.5), 0.15, 1), caption=f"step {k}") for k, x in enumerate(at)]


def test_a_page_needs_nothing_else_and_shows_a_strip_without_a_script():
    text = page(frames(40), "moving")
    assert not re.search(r"https?://|src=|<link|@import", text)
    assert text.count("<figure") == 40
    assert text.count("<figure class=key>") == STRIP
    assert text.count("<script") == 1
    assert "figure{margin:0;display:none}" in text
    assert 'name="viewport"' in text
    assert "prefers-reduced-motion" in text
    assert page(frames(2 * MOST), "long").count("<figure") <= MOST
    assert page(frames(1), "one").count("<figure class=key>") == 1
    assert not re.search(r"#[0-9a-f]{6}\"", text)  # colours of shapes follow light and dark


def test_a_gif_has_every_frame_and_shows_where_things_are():
    picture = Image.open(io.BytesIO(gif(frames(5), fps=10)))
    assert (picture.n_frames, picture.width) == (5, WIDTH)
    assert picture.info["duration"] == 100
    assert picture.info["loop"] == 0
    centres = []
    for k in range(5):
        picture.seek(k)
        assert picture.info["duration"] == (100 if k < 4 else REST)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
        orange = (pixels[..., 0] > 150) & (pixels[..., 2] < 80)
        rows, columns = np.nonzero(orange)
        centres.append(columns.mean())
        assert rows.mean() == pytest.approx(0.25 * WIDTH, abs=1.5)  # y = 0.5 is above the middle
    assert_allclose(np.array(centres), (np.linspace(-0.8, 0.8, 5) + 1) * WIDTH / 2, atol=1.5)


def test_short_episodes_take_five_seconds_and_long_ones_twenty_frames_a_second():
    for frames_of in (20, 60, 99):
        assert frames_of / pace(frames_of) == pytest.approx(5.0)
    assert (pace(1), pace(100), pace(5000)) == (2.0, 20.0, 20.0)


@pytest.mark.parametrize("name", sorted(registry.ENVS))
def test_every_environment_that_has_a_picture_fits_into_it(name):
    if any(default is registry.NEEDED for _, default in registry.parameters(name).values()):
        return
    env = registry.environment(name)
    state = env.reset(np.random.default_rng(0), 2)
    if type(env).scene is Env.scene:
        with pytest.raises(InputError, match="no picture"):
            env.scene(state)
        return
    drawn = env.scene(state, 1)
    assert svg(drawn).startswith("<svg")
    left, right, bottom, top = drawn.limits
    for shape in drawn.shapes:
        points = [shape.centre] if isinstance(shape, Disc) else (
            [shape.start, shape.end] if isinstance(shape, Segment) else [shape.at])  # fmt: skip
        for x, y in points:
            assert left <= x <= right
            assert bottom <= y <= top
