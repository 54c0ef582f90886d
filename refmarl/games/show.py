"""A game as a table: plain text for terminals, HTML for notebooks and the report.

Names come from files of strangers: control characters are shown as escapes in text, and all
markup is escaped in HTML.
"""

from collections.abc import Collection, Iterator, Sequence
from html import escape
from itertools import product

from .nash import pure_equilibria
from .normal_form import NormalForm

MAX_CELLS = 400  # joint actions of a game that is still shown as a table
MAX_COLUMNS = 20

Action = tuple[int, ...]


def text(game: NormalForm, marks: Collection[Action] | None = None) -> str:
    """The payoff table, with a star at the joint actions in ``marks``.

    Two players: rows are player 1's actions, columns player 2's; a third player gets one such
    table per action. Larger games are summed up in a few lines.

    Parameters
    ----------
    game : NormalForm
    marks : joint actions, counted from 0; by default the pure Nash equilibria

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]], players=("Row", "Column"))
    >>> print(text(game))
    Row \\ Column  1      2
    1             2, 2*  0, 0
    2             0, 0   1, 1*
    """
    starred = _marks(game, marks)
    if not tabular(game):
        return "\n".join(_summary(game, starred))
    blocks = []
    for caption, cells in _slices(game, starred):
        lines = [caption] if caption else []
        blocks.append("\n".join([*lines, *_aligned(cells)]))
    return "\n\n".join(blocks)


def html(game: NormalForm, marks: Collection[Action] | None = None) -> str:
    """The same as :func:`text`, as an HTML fragment with the marked cells in bold.

    Examples
    --------
    >>> print(html(NormalForm([[3, 5]], title="<choose>")))
    <div class="refmarl-game"><p><b>&lt;choose&gt;</b></p>
    <table>
    <tr><th>1</th><th></th></tr>
    <tr><th>1</th><td>3</td></tr>
    <tr><th>2</th><td><b>5*</b></td></tr>
    </table></div>
    """
    starred = _marks(game, marks)
    title = f"<p><b>{escape(plain(game.title))}</b></p>\n" if game.title else ""
    if not tabular(game):
        body = "<br>\n".join(map(escape, _summary(game, starred)))
        return f'<div class="refmarl-game">{title}<p>{body}</p></div>'
    tables = [
        (f"<p>{escape(caption)}</p>\n" if caption else "") + _table(cells)
        for caption, cells in _slices(game, starred)
    ]
    return f'<div class="refmarl-game">{title}' + "\n".join(tables) + "</div>"


def tabular(game: NormalForm) -> bool:
    """Whether the game is small enough for a table, and of 3 players at most."""
    small = game.payoffs[0].size <= MAX_CELLS and max(game.num_actions[1:2], default=1)
    return game.num_players <= 3 and 0 < small <= MAX_COLUMNS


def plain(name: str) -> str:
    """A name without control characters, which a terminal would obey; never empty.

    Examples
    --------
    >>> print(plain("stag"), plain("\\x1b[2J"), plain(""))
    stag \\x1b[2J ''
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name) or "''"


def _marks(game: NormalForm, marks: Collection[Action] | None) -> set[Action]:
    if marks is None:
        return set(pure_equilibria(game))
    return {tuple(int(k) for k in a) for a in marks}


def _slices(game: NormalForm, starred: set[Action]) -> Iterator[tuple[str, list[list[str]]]]:
    """(caption, cells with their heads) of each table; one without caption for n < 3."""
    rows, columns = range(game.num_actions[0]), range((*game.num_actions, 1)[1])
    heads = [*(plain(a) for a in game.actions[1])] if game.num_players > 1 else [""]
    corner = " \\ ".join(plain(p) for p in game.players[:2])
    for rest in product(*(range(k) for k in game.num_actions[2:])):
        cells = [[corner, *heads]]
        for a in rows:
            joint = [((a, b, *rest)[: game.num_players]) for b in columns]
            shown = [_cell(game, x, x in starred) for x in joint]
            cells.append([plain(game.actions[0][a]), *shown])
        caption = f"{plain(game.players[2])}: {plain(game.actions[2][rest[0]])}" if rest else ""
        yield caption, cells


def _cell(game: NormalForm, action: Action, star: bool) -> str:
    return ", ".join(f"{x + 0.0:.6g}" for x in game.at(action)) + "*" * star


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def _table(cells: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(x)}</th>" for x in cells[0])
    lines = [f"<tr>{head}</tr>"]
    for name, *row in cells[1:]:
        data = "".join(f"<td>{_bold(escape(x))}</td>" for x in row)
        lines.append(f"<tr><th>{escape(name)}</th>{data}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _bold(cell: str) -> str:
    return f"<b>{cell}</b>" if cell.endswith("*") else cell


def _summary(game: NormalForm, starred: set[Action]) -> list[str]:
    """What is said of a game too large for a table."""
    sizes = " × ".join(str(k) for k in game.num_actions)
    lines = [f"{game.num_players} players with {sizes} actions, {game.payoffs[0].size} joint"]
    for i, u in enumerate(game.payoffs):
        name = plain(game.players[i])
        lines.append(f"  {name}: payoffs from {u.min():.6g} to {u.max():.6g}, mean {u.mean():.6g}")
    shown = sorted(starred)[:10]
    lines.append(f"  {len(starred)} marked joint actions" + (":" if shown else ""))
    lines += [f"    {described(game, a)}" for a in shown]
    return lines + ["    …"] * (len(starred) > len(shown))


def described(game: NormalForm, action: Action) -> str:
    """A joint action by its names, "(stag, hare)".

    Examples
    --------
    >>> described(NormalForm.zero_sum([[1, -1]], actions=[["go"], ["l", "r"]]), (0, 1))
    '(go, r)'
    """
    names = (plain(game.actions[i][k]) for i, k in enumerate(action))
    return "(" + ", ".join(names) + ")"
