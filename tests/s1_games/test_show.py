"""Tables of games: every payoff and name is there, marks are where they belong, nothing leaks."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.games import NormalForm, pure_equilibria
from refmarl.games.show import described, html, plain, text
from refmarl.testing.strategies import games


def cells(table, game):
    """{joint action: cell} of a text table without names, read by splitting its columns."""
    found = {}
    for k, block in enumerate(table.split("\n\n")):
        lines = block.splitlines()[1 + (game.num_players > 2) :]
        for a, line in enumerate(lines):
            for b, cell in enumerate(re.split(r"  +", line)[1:]):
                found[(a, b, k)[: game.num_players]] = cell
    return found


@given(games(1, 3))
def test_each_cell_shows_its_payoffs_and_is_starred_iff_it_is_an_equilibrium(game):
    shown = cells(text(game), game)
    assert sorted(shown) == sorted(np.ndindex(*game.num_actions))
    stars = pure_equilibria(game)
    for action, cell in shown.items():
        assert cell.endswith("*") == (action in stars)
        assert [float(x) for x in cell.rstrip("*").split(", ")] == game.at(action).tolist()


@given(games(2, 2))
def test_columns_are_aligned(game):
    lines = text(game).splitlines()
    starts = [[m.start() for m in re.finditer(r"(?<=  )\S", line)] for line in lines]
    assert all(row == starts[0] for row in starts)


def test_a_zero_has_no_sign():
    game = NormalForm.zero_sum([[0.0, 1.0]])
    assert np.signbit(game.payoffs[1, 0, 0])
    assert "-0" not in text(game)


def test_marks_can_be_chosen():
    game = NormalForm(np.zeros((2, 2, 2)))
    assert text(game).count("*") == 4
    assert text(game, marks=[(1, 0)]).count("*") == 1
    assert text(game, marks=()).count("*") == html(game, marks=()).count("*") == 0
    assert html(game, marks=[np.array([0, 1])]).count("<b>0, 0*</b>") == 1


def test_three_players_get_a_table_per_action_of_the_third():
    payoffs = np.arange(24.0).reshape(3, 2, 2, 2)
    game = NormalForm(payoffs, players=("R", "C", "M"), actions=(("a", "b"),) * 2 + (("l", "r"),))
    blocks = text(game, marks=()).split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["M: l", "M: r"]
    assert blocks[1].splitlines()[2] == "a      1, 9, 17   3, 11, 19"


@pytest.mark.parametrize("shape", [(21, 20), (2, 21), (8, 8, 8), (2, 2, 2, 2)])
def test_large_games_are_summed_up(shape):
    game = NormalForm(np.zeros((len(shape), *shape)), players=tuple("ABCD"[: len(shape)]))
    shown = text(game)
    assert shown.startswith(f"{len(shape)} players with {' × '.join(map(str, shape))} actions")
    assert "A: payoffs from 0 to 0" in shown
    assert f"{np.prod(shape)} marked joint actions:" in shown
    assert shown.endswith("…")
    assert len(shown.splitlines()) < 20
    assert "<table>" not in html(game)


class Balanced(HTMLParser):
    """Collects the text of a fragment; its tags must nest."""

    def __init__(self, fragment):
        super().__init__()
        self.open, self.seen, self.text = [], set(), ""
        self.feed(fragment)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@given(games(1, 4), st.text(max_size=20), st.sampled_from(["<script>", "</td>", "&amp;", "'\""]))
def test_no_name_is_markup(game, name, markup):
    evil = name + markup
    named = NormalForm(
        game.payoffs,
        title=evil,
        players=(evil,) * game.num_players,
        actions=tuple((evil,) * k for k in game.num_actions),
    )
    fragment = Balanced(named._repr_html_())
    assert fragment.seen <= {"div", "p", "b", "br", "table", "tr", "th", "td"}
    assert fragment.text.count(plain(evil)) >= 1 + game.num_players


@given(st.text())
def test_no_name_moves_the_cursor_of_a_terminal(name):
    assert plain(name).isprintable()
    assert plain(name)


def test_a_joint_action_is_described_by_its_names():
    game = NormalForm(np.zeros((2, 1, 2)), actions=(("up",), ("l", "r")))
    assert described(game, (0, 1)) == "(up, r)"
