"""Games in files: what is written comes back bit for bit; what is broken is told in one line."""

import json
import os
import pickle
import stat
import zipfile
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from refmarl.check import MAX_ENTRIES, MAX_PAYOFF, InputError
from refmarl.games import NormalForm
from refmarl.games.files import (
    FORMATS,
    MAX_BYTES,
    MAX_EXACT,
    MAX_PLAYERS,
    json_form,
    nfg,
    npz,
    read,
    read_exact,
    write,
)
from refmarl.games.files.limits import fraction, number, written
from refmarl.testing.strategies import games, shapes

FLOATS = st.floats(-MAX_PAYOFF, MAX_PAYOFF)
SUFFIXES = sorted(FORMATS)
BUILD = {".nfg": nfg.build, ".json": json_form.build, ".npz": npz.build}


@st.composite
def named_games(draw, elements=FLOATS):
    """Games with any names and any finite payoffs."""
    sizes = draw(shapes(1, 4, 3))
    players = tuple(draw(st.text(max_size=5)) for _ in sizes)
    actions = tuple(tuple(draw(st.text(max_size=4)) for _ in range(k)) for k in sizes)
    payoffs = draw(arrays(float, (len(sizes), *sizes), elements=elements))
    return NormalForm(payoffs, draw(st.text(max_size=9)), players, actions)


def assert_same(one, other):
    assert one.payoffs.shape == other.payoffs.shape
    assert one.payoffs.tobytes() == other.payoffs.tobytes()  # also the sign of zero
    assert (one.title, one.players, one.actions) == (other.title, other.players, other.actions)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(game=named_games())
@example(game=NormalForm([[-0.0, 5e-324]], 'a "quoted\\" \\ title\\', ("\r\n",), (("{", "\\\\"),)))
def test_what_is_written_is_read_bit_for_bit(suffix, game):
    assert_same(FORMATS[suffix].parse(FORMATS[suffix].build(game)), game)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_round_trip_and_are_replaced_whole(suffix, tmp_path):
    path = tmp_path / f"game{suffix.upper()}"
    path.write_bytes(b"what was there before")
    game = NormalForm(np.arange(24.0).reshape(3, 2, 2, 2), "Größe", ("a", "b", "ç"))
    write(game, path)
    assert_same(read(path), game)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_write_leaves_what_was_there(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"game{suffix}"
    path.write_bytes(b"before")

    def no_replace(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_replace)
    with pytest.raises(InputError, match="No space left"):
        write(NormalForm([[1.0]]), path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(path.name, b"before")]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_written_file_can_be_read_by_those_whom_the_umask_allows(tmp_path):
    write(NormalForm([[1.0]]), tmp_path / "game.json")
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("game.json", "plain")]
    assert modes[0] == modes[1]


@given(games(1, 4))
def test_every_format_holds_the_same_game(game):
    one, *others = [FORMATS[s].parse(FORMATS[s].build(game)) for s in SUFFIXES]
    for other in others:
        assert_same(one, other)


# -- Gambit's format ----------------------------------------------------------------

HEAD = 'NFG 1 R "Own example" { "Ann" "Bob" }'
# Ann has 3 strategies, Bob 2; her strategy changes fastest: (1,1) (2,1) (3,1) (1,2) (2,2) (3,2).
ANN = [[1.0, 4.0], [0.0, 0.5], [-2.0, 6.0]]
BOB = [[10.0, 0.0], [2e-1, 3.0], [1.0, 1.0 / 3.0]]
PAYOFFS = "1 10   0 2e-1   -2 +1.   4 0   1/2 3   6.0E0 1/3"
OUTCOMES = """{
{ "best" 1, 10 } { "" 0 .2 }
{ "an \\"odd\\" one" -2, 1, }
{ "" 4 0 } { "\\\\" 1/2 3 } { "" 6, 1/3 } { "unused" 99 99 } }
1 2 3 4 5 6"""
NAMED = '{ { "x" "y" "z" } { "l" "r" } }'


@pytest.mark.parametrize("body", [PAYOFFS, OUTCOMES], ids=["payoffs", "outcomes"])
@pytest.mark.parametrize(
    "strategies", ["{ 3 2 }", "{3 2}", NAMED], ids=["counts", "tight", "names"]
)
@pytest.mark.parametrize("comment", ["", '"two lines\nof {comment}"'], ids=["", "comment"])
def test_a_hand_written_file_of_each_form(strategies, comment, body):
    game = nfg.parse(f"{HEAD}{strategies}\n{comment}\n{body}")
    assert_array_equal(game.payoffs, [ANN, BOB])
    assert (game.title, game.players) == ("Own example", ("Ann", "Bob"))
    names = (("x", "y", "z"), ("l", "r")) if "x" in strategies else (("1", "2", "3"), ("1", "2"))
    assert game.actions == names


def test_layout_and_the_letter_d_do_not_matter():
    game = nfg.parse('\n\tNFG\r\n1 D"t"{"a"}{2}\v3\n\n.5')
    assert_array_equal(game.payoffs, [[3.0, 0.5]])


def test_outcome_0_pays_nobody_and_outcomes_may_come_twice():
    game = nfg.parse('NFG 1 R "" { "a" "b" } { 2 2 } { { "" 5, 7 } } 1 0 0 1')
    assert_array_equal(game.payoffs, [np.eye(2) * 5, np.eye(2) * 7])


def test_three_players_count_from_the_first():
    game = nfg.parse('NFG 1 R "" { "a" "b" "c" } { 2 3 2 } ' + " ".join(map(str, range(36))))
    for a, b, c in np.ndindex(2, 3, 2):
        first = 3 * (a + 2 * (b + 3 * c))
        assert_array_equal(game.at((a, b, c)), [first, first + 1, first + 2])


@given(games(1, 3), st.data())
def test_payoffs_and_their_outcomes_are_the_same_game(game, data):
    """Any numbering of the joint actions' payoffs as outcomes, in any order, with repeats."""
    n = game.num_players
    rows = game.payoffs.T.reshape(-1, n)
    order = data.draw(st.permutations(range(len(rows))))
    outcomes = " ".join('{ "o" ' + ", ".join(written(x) for x in rows[k]) + " }" for k in order)
    index = " ".join(str(order.index(k) + 1) for k in range(len(rows)))
    head = nfg.build(game).decode().partition("\n")[0]
    assert_same(nfg.parse(f"{head} {{ {outcomes} }} {index}"), game)


@given(st.lists(FLOATS, min_size=1, max_size=6))
def test_the_fast_reader_of_decimals_is_the_slow_one(values):
    """One fraction among the payoffs sends all of them through the token by token reader."""
    head = f'NFG 1 R "" {{ "a" }} {{ {len(values) + 1} }} '
    body = " ".join(map(repr, values))
    assert_same(nfg.parse(f"{head}{body} 0.5"), nfg.parse(f"{head}{body} 1/2"))


@given(FLOATS)
def test_a_written_number_is_the_number(x):
    assert np.float64(number(written(x))).tobytes() == np.float64(x).tobytes()


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**30))
def test_a_fraction_is_rounded_once(p, q):
    assert number(f"{p}/{q}") == p / q


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: need NFG, the mark of a Gambit strategic game, got the end of the file"),
        ('EFG 2 R "tree"', "line 1: need NFG"),
        ('NFG 2 R "t"', "line 1: need version 1, got '2'"),
        ('NFG 1 X "t"', "line 1: need R or D, got 'X'"),
        ("NFG 1 R title", "line 1: need the title in quotes, got 'title'"),
        ('NFG 1 R "title', 'line 1: a text that starts with " has no end'),
        ('NFG 1 R "t" "a" "b"', "line 1: need {"),
        ('NFG 1 R "t"\n{ }\n{ }', "line 3: 0 players; need 1 to 26"),
        (f"{HEAD} {{ 2 }} 1 2", "need a number of strategies for 'Bob', got '}'"),
        (f"{HEAD} {{ 2 2 2 }}", "need } after the strategies of 2 players, got '2'"),
        (f"{HEAD} {{ 2 0 }}", "player 'Bob' has no strategy"),
        (f"{HEAD} {{ 2 -1 }}", "need a number of strategies for 'Bob', got '-1'"),
        (f'{HEAD} {{ {{ "x" }} {{ }} }}', "player 'Bob' has no strategy"),
        (f'{HEAD} {{ {{ "x" }} 2 }}', "need {, got '2'"),
        (f"{HEAD} {{ 2 1 }}\n1 2\n3", "line 3: need 4 payoffs, got 3"),
        (f"{HEAD} {{ 2 1 }}\n1 2\n3 x", "line 3: 'x' is no number"),
        (f"{HEAD} {{ 2 1 }} 1 2 3 nan", "line 1: 'nan' is no number"),
        (f"{HEAD} {{ 2 1 }} 1 2 3 1_0", "'1_0' is no number"),
        (f"{HEAD} {{ 2 1 }} 1 2 3 1/0", "'1/0' divides by zero"),
        (f"{HEAD} {{ 2 1 }} 1 2 3 1e999", "'1e999' is too large for a float"),
        (f"{HEAD} {{ 2 1 }} 1 2 3 {'9' * 400}/1", "too large for a float"),
        (f"{HEAD} {{ 2 1 }} 1 2 3 {'9' * 5000}", "is no number"),
        (f"{HEAD} {{ 2 1 }} 1 2 3 4\n5", "line 2: need the end of the file after the last joint"),
        (f'{HEAD} {{ 2 1 }} 1 2 3 4 "end"', "need the end of the file after the last joint"),
        (f"{HEAD} {{ 2 1 }} 1, 2, 3, 4", "need a payoff, got ','"),
        (f'{HEAD} {{ 2 1 }} {{ {{ "" 1 }} }} 1 1', "need a payoff, got '}'"),
        (f'{HEAD} {{ 2 1 }} {{ {{ "" 1 2 3 }} }} 1 1', "need } after the 2 payoffs"),
        (f'{HEAD} {{ 2 1 }} {{ {{ "" 1 2 }} }} 1 2', "outcome 2 of 1"),
        (f'{HEAD} {{ 2 1 }} {{ {{ "" 1 2 }} }} 1 -1', "need an outcome's number, got '-1'"),
        (f'{HEAD} {{ 2 1 }} {{ {{ "" 1 2 }} }} 1', "need 2 outcomes, one per joint action, got 1"),
        (f'{HEAD} {{ 2 1 }} {{ {{ "" 1 2 }} }} 1 1 1', "need the end of the file"),
    ],
)
def test_a_broken_nfg_is_told_with_its_line(text, says):
    with pytest.raises(InputError) as caught:
        nfg.parse(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# -- JSON ---------------------------------------------------------------------------


def test_the_three_ways_to_give_payoffs():
    row, column = [[1, "1/3"], [-2, 0.5]], [[0, 1], [2, 3]]
    exact = np.array([[1, 1 / 3], [-2, 0.5]])
    both = json_form.parse(json.dumps({"row": row, "column": column, "players": ["a", "b"]}))
    assert_array_equal(both.payoffs, [exact, column])
    assert both.players == ("a", "b")
    zero_sum = json_form.parse(json.dumps({"zero_sum": row, "title": "t"}))
    assert_array_equal(zero_sum.payoffs, [exact, -exact])
    tensor = json_form.parse(json.dumps({"payoffs": [row, column], "schema": 1}))
    assert_array_equal(tensor.payoffs, both.payoffs)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: no JSON"),
        ("{\n,}", "line 2: no JSON"),
        ("[1, 2]", "need a JSON object, got a list"),
        ("{}", "need payoffs, or row and column, or zero_sum; got none of them"),
        ('{"row": [[1]]}', "got row"),
        ('{"row": [[1]], "column": [[1]], "payoffs": [[1]]}', "got column, payoffs, row"),
        ('{"zero_sum": [[1]], "titel": "x"}', "unknown key 'titel'"),
        ('{"zero_sum": [[1]], "zero_sum": [[2]]}', "a key comes twice"),
        ('{"zero_sum": [[1]], "schema": 2}', "schema '2'; this version reads 1"),
        ('{"zero_sum": [[1]], "title": 3}', "title: need text, got int"),
        ('{"zero_sum": [[1]], "title": "\\ud800"}', "half a surrogate pair"),
        ('{"zero_sum": [[1]], "players": "ab"}', "players: need a list of names, got str"),
        ('{"zero_sum": [[1]], "players": ["a"]}', "players: need 2 names, got 1"),
        ('{"zero_sum": [[1]], "actions": [["a"]]}', "actions: need (1, 1) names"),
        ('{"zero_sum": [[1]], "actions": 1}', "actions: need a list of lists, got int"),
        ('{"zero_sum": [[1, 2], [3]]}', "rows of unequal length"),
        ('{"zero_sum": [[1, 2], 3]}', "rows of unequal length"),
        ('{"zero_sum": [[1, 2], [3, [4]]]}', "rows of unequal depth"),
        ('{"zero_sum": []}', "need 2 axes, got 1 (shape (0,))"),
        ('{"zero_sum": [[]]}', "empty"),
        ('{"zero_sum": 1}', "need a nested list, got a number"),
        ('{"zero_sum": [1]}', "need 2 axes, got 1"),
        ('{"zero_sum": [[NaN]]}', "NaN; need finite numbers"),
        ('{"zero_sum": [[1e999]]}', "inf at index"),
        ('{"zero_sum": [[1' + "0" * 400 + "]]}", "too large for a float"),
        ('{"zero_sum": [[1' + "0" * 5000 + "]]}", "a whole number of thousands of digits"),
        ('{"zero_sum": [["a"]]}', "'a' is no number"),
        ('{"zero_sum": [["1/0"]]}', "divides by zero"),
        ('{"zero_sum": [[true]]}', "need numbers, got true"),
        ('{"zero_sum": [[null]]}', "need numbers, got null"),
        ('{"zero_sum": [[{}]]}', "need numbers, got an object"),
        ('{"payoffs": [[[1, 2], [3, 4]]]}', "1 players need 2 axes"),
        ('{"payoffs": [[1, 2], [3, 4]]}', "2 players need 3 axes"),
        ('{"payoffs": ' + "[" * 40 + "1" + "]" * 40 + "}", "28 axes; need at most 27"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_broken_json_is_told_in_one_line(text, says):
    with pytest.raises(InputError) as caught:
        json_form.parse(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# -- npz ----------------------------------------------------------------------------


def archive(**members):
    """The bytes of an .npz: arrays are saved, bytes are put in as they are."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, value in members.items():
            data = value
            if not isinstance(value, bytes):
                buffer = BytesIO()
                np.lib.format.write_array(buffer, np.asarray(value))
                data = buffer.getvalue()
            file.writestr(f"{name}.npy", data)
    return out.getvalue()


def header(shape, descr="<f8"):
    """An array's header, and nothing behind it."""
    out = BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"shape": shape, "descr": descr, "fortran_order": False}
    )
    return out.getvalue()


def test_archives_of_other_programs():
    out = BytesIO()
    np.savez(out, row=np.asfortranarray([[1, 2], [3, 4]]), column=np.zeros((2, 2), np.float32))
    assert_array_equal(npz.parse(out.getvalue()).payoffs, [[[1, 2], [3, 4]], np.zeros((2, 2))])
    big_endian = archive(payoffs=np.array([[1.5, 2]], ">f8"))
    assert_array_equal(npz.parse(big_endian).payoffs, [[1.5, 2]])
    assert_array_equal(npz.parse(archive(zero_sum=[[1, 2]])).payoffs, [[[1, 2]], [[-1, -2]]])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04 and no more", "no .npz archive, or a damaged one"),
        (archive(other=[1]), "unknown key 'other'"),
        (archive(row=[[1]]), "got row"),
        (archive(payoffs=b"no array"), "no .npz archive, or a damaged one"),
        (archive(payoffs=header((1, 5))), "a damaged one"),
        (archive(payoffs=header((2, 40000, 40000))), f"the cap is {MAX_ENTRIES}"),
        (archive(row=header((9000, 9000)), column=[[1]]), f"the cap is {MAX_ENTRIES}"),
        (archive(payoffs=header((2**62, 2**62, 4))), f"the cap is {MAX_ENTRIES}"),
        (archive(payoffs=header((1, -1))), "shape (1, -1)"),
        (archive(payoffs=header((1,) * 40)), "40 axes"),
        (archive(payoffs=header((1, 2), "|O") + pickle.dumps(1)), "pickles are never read"),
        (archive(payoffs=["text"]), "need real numbers, got"),
        (archive(payoffs=[[1j]]), "need real numbers, got"),
        (archive(payoffs=[[np.nan]]), "nan at index"),
        (archive(payoffs=3.0), "0 players"),
        (archive(payoffs=[[1.0]], names=[1.0]), "names: need bytes"),
        (archive(payoffs=[[1.0]], names=np.frombuffer(b"{", np.uint8)), "no JSON"),
        (archive(payoffs=[[1.0]], names=np.frombuffer(b"[]", np.uint8)), "need an object"),
        (archive(payoffs=[[1.0]], names=np.frombuffer(b'{"x": 1}', np.uint8)), "need an object"),
        (archive(payoffs=[[1.0]], names=np.frombuffer(b"\xff", np.uint8)), "not text in UTF-8"),
        (archive(payoffs=[[1.0]], names=header((10**12,), "|u1")), "names: shape"),
    ],
)
def test_a_broken_archive_is_told_in_one_line(data, says):
    with pytest.raises(InputError) as caught:
        npz.parse(data)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_archive_that_unpacks_to_much_more_is_not_unpacked():
    """A promise of two numbers with 100 MB behind it: the rest stays packed."""
    bomb = archive(payoffs=header((1, 2)) + np.array([3.0, 4.0]).tobytes() + bytes(100_000_000))
    assert len(bomb) < 200_000
    assert_array_equal(npz.parse(bomb).payoffs, [[3.0, 4.0]])


def test_a_pickle_in_an_archive_does_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    payoffs = np.empty((1, 1), object)
    payoffs[0, 0] = Trap()
    buffer = BytesIO()
    np.savez(buffer, payoffs=payoffs)
    with pytest.raises(InputError, match="never read"):
        npz.parse(buffer.getvalue())
    assert not (tmp_path / "sprung").exists()


# -- limits and noise ---------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD} {{ 1000000 1000 }} 1 2 3",
        f"{HEAD} {{ 999999999999999999 2 }} 1 2 3",
        f'{HEAD} {{ 5000 2000 }} {{ {{ "" 1 2 }} }} 1',
    ],
)
def test_a_header_that_promises_too_much_fails_at_once(text):
    with pytest.raises(InputError, match=f"the cap is {MAX_ENTRIES}"):
        nfg.parse(text)


def test_a_header_may_promise_as_much_as_the_cap_but_must_keep_it():
    with pytest.raises(InputError, match="need 10000000 payoffs, got 2"):
        nfg.parse(f"{HEAD} {{ 2500 2000 }} 1 2")


def test_json_is_measured_before_it_becomes_an_array():
    wide = "[" + ",".join(["0"] * 4000) + "]"
    text = '{"zero_sum": [' + ",".join([wide] * 1300) + "]}"
    with pytest.raises(InputError, match=f"10400000 payoffs; the cap is {MAX_ENTRIES}"):
        json_form.parse(text)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_number_of_players_is_capped_on_both_ways(suffix, tmp_path):
    most = NormalForm(np.zeros((MAX_PLAYERS, *(1,) * MAX_PLAYERS)))
    write(most, tmp_path / f"most{suffix}")
    assert read(tmp_path / f"most{suffix}").num_players == MAX_PLAYERS
    more = NormalForm(np.zeros((MAX_PLAYERS + 1, *(1,) * (MAX_PLAYERS + 1))))
    with pytest.raises(InputError, match="27 players; need 1 to 26"):
        write(more, tmp_path / f"more{suffix}")
    with pytest.raises(InputError, match=r"27 players; need 1 to 26|28 axes; need at most 27"):
        FORMATS[suffix].parse(BUILD[suffix](more))
    assert not (tmp_path / f"more{suffix}").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_that_cannot_be_read(suffix, tmp_path):
    directory, missing = tmp_path / f"folder{suffix}", tmp_path / f"missing{suffix}"
    directory.mkdir()
    empty, large = tmp_path / f"empty{suffix}", tmp_path / f"large{suffix}"
    empty.write_bytes(b"\n")
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # sparse
    for path, says in (
        (directory, "Is a directory"),
        (missing, "No such file"),
        (empty, "empty"),
        (large, f"{MAX_BYTES + 1} bytes; the cap is {MAX_BYTES}"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_other_suffixes_and_surrogates_are_refused(tmp_path):
    for path in ("game.efg", "game", "game.nfg.gz"):
        with pytest.raises(InputError, match=r"ends in one of .nfg, .json, .npz"):
            read(path)
    with pytest.raises(InputError, match="surrogates not allowed"):
        write(NormalForm([[1.0]], "\ud800"), tmp_path / "no.json")
    with pytest.raises(InputError, match="null"):
        read("nul\0.json")


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.binary(max_size=300))
def test_noise_is_refused_in_one_line(suffix, data):
    with pytest.raises(InputError) as caught:
        FORMATS[suffix].parse(data)
    assert "\n" not in str(caught.value)


GRAMMAR = ["NFG", "1", "R", '"t"', "{", "}", ",", "1/2", "-3", "9", '{ "a" }', '"', "\\", "\n"]


def read_or_refuse(parse, data):
    """The game, or the one line that says why there is none."""
    try:
        return parse(data)
    except InputError as error:
        return str(error)


@given(st.lists(st.sampled_from(GRAMMAR), max_size=25))
@settings(max_examples=200)
def test_any_tokens_are_a_game_or_are_refused(tokens):
    result = read_or_refuse(nfg.parse, " ".join(["NFG 1 R", *tokens]))
    assert isinstance(result, NormalForm) or "\n" not in result


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(game=named_games(st.integers(-9, 9).map(float)), data=st.data())
def test_a_truncated_or_damaged_file_is_a_game_or_is_refused(suffix, game, data):
    whole = FORMATS[suffix].build(game)
    cut = data.draw(st.integers(0, len(whole)), "cut")
    spoiled = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        spoiled[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for part in (whole[:cut], bytes(spoiled)):
        result = read_or_refuse(FORMATS[suffix].parse, part)
        assert isinstance(result, NormalForm) or "\n" not in result


# -- un-rounded payoffs -------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=20)
@given(game=games(1, 3, max_actions=3, elements=st.floats(-1e6, 1e6)))
def test_exact_payoffs_round_to_the_games_floats(suffix, game, tmp_path_factory):
    path = tmp_path_factory.mktemp("exact") / f"game{suffix}"
    game = NormalForm(np.where(abs(game.payoffs) < 1e-250, 0.0, game.payoffs))
    write(game, path)
    found, exact = read_exact(path)
    assert_same(found, game)
    assert np.array_equal(np.array(exact, dtype=float), game.payoffs)


def test_exact_arithmetic_has_its_own_cap(tmp_path):
    write(NormalForm(np.zeros((2, 1, MAX_EXACT // 2 + 1))), tmp_path / "game.npz")
    with pytest.raises(InputError, match="in exact arithmetic"):
        read_exact(tmp_path / "game.npz")


@pytest.mark.parametrize("text", ["1e-301", "1.5E-999999999", "-.1e-400"])
def test_a_fraction_of_unbearable_length_is_refused(text):
    with pytest.raises(InputError, match="too near to 0"):
        fraction(text)


@given(st.fractions(-1000, 1000), st.decimals(-1000, 1000, allow_nan=False, places=5))
def test_fractions_and_decimals_are_read_exactly(ratio, decimal):
    assert fraction(f"{ratio.numerator}/{ratio.denominator}") == ratio
    assert fraction(f"{decimal}") == Fraction(decimal)
    assert fraction(f"{decimal}e-7") == Fraction(decimal) / 10**7


def test_outcomes_keep_their_fractions():
    text = 'NFG 1 R "" { "A" "B" } { 2 1 } "" { { "a" 1/3, .1 } { "b" 2 -1/7 } } 2 1'
    assert nfg.exact(text) == [[[2], [Fraction(1, 3)]], [[Fraction(-1, 7)], [Fraction(1, 10)]]]
