"""``refmarl solve``, ``list`` and the games of ``show``: answers, JSON, and one line for errors."""

import io
import json
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from refmarl.check import MAX_ENTRIES
from refmarl.cli import main
from refmarl.cli._games import probability
from refmarl.games import NormalForm, library, nash_conv
from refmarl.games.files import write
from refmarl.games.solve import METHODS

SUITABLE = {"zero-sum": "matching-pennies", "dominance": "prisoners-dilemma"}


@pytest.fixture
def run(capsys):
    """Run the command line: (status, output, errors)."""

    def call(*argv):
        status = main(argv)
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def solved(run):
    """The JSON of ``refmarl solve``."""

    def call(*argv):
        status, out, err = run("solve", *argv, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)

    return call


# -- answers ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_every_method_prints_and_has_the_promised_keys(method, run, solved):
    name = SUITABLE.get(method, "chicken")
    found = solved(name, "--method", method)
    keys = {"players", "actions", "method", "complete", "equilibria", "title", "reason", "facts"}
    assert found.keys() == keys
    assert found["method"] == ("support" if method == "auto" else method)
    assert found["equilibria"]
    game = library.game(name)
    assert (found["players"], found["actions"]) == (list(game.players), [*map(list, game.actions)])
    for answer in found["equilibria"]:
        mixed = "distribution" if "correlated" in method else "profile"
        assert answer.keys() == {"kind", mixed, "payoffs", "regret"}
        parts = [answer[mixed]] if mixed == "distribution" else answer[mixed]
        assert [np.sum(part) for part in parts] == pytest.approx([1.0] * len(parts))
        assert len(answer["payoffs"]) == 2
        assert isinstance(answer["regret"], float)
    status, out, err = run("solve", name, "--method", method)
    assert (status, err) == (0, "")
    assert f"Method {found['method']}: " in out
    assert "payoffs" in out
    assert ("\nComplete" in out) == found["complete"]
    assert ("\nNot complete: " in out) != found["complete"]


def test_the_profiles_in_json_are_equilibria_of_the_file(tmp_path, solved):
    game = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]], title="G", players=("A", "B"))
    seen = []
    for suffix in ("nfg", "json", "npz"):
        write(game, tmp_path / f"game.{suffix}")
        found = solved(str(tmp_path / f"game.{suffix}"))
        assert (found["title"], found["players"], found["complete"]) == ("G", ["A", "B"], True)
        assert all(nash_conv(game, x["profile"]) < 1e-9 for x in found["equilibria"])
        seen.append(found)
    assert len(seen[0]["equilibria"]) == 3
    assert seen[0] == seen[1] == seen[2]


def test_a_game_on_standard_input(monkeypatch, solved):
    text = io.TextIOWrapper(io.BytesIO(b'{"zero_sum": [[3, 0], [1, 2]]}'))
    monkeypatch.setattr(sys, "stdin", text)
    found = solved("-", "--method", "zero-sum")
    assert found["facts"]["value"] == pytest.approx(1.5)


def test_probabilities_are_printed_as_decimals_and_fractions(run):
    _, out, _ = run("solve", "chicken")
    assert "give way 0.666667 (2/3), dare 0.333333 (1/3)" in out
    assert "payoffs 4.66667, 4.66667; regret" in out
    assert "Complete: there are no other equilibria." in out
    assert "* pure equilibrium" in out
    assert probability(1.0) == "1"
    assert probability(0.5 + 1e-8) == "0.5"
    assert probability(1 / 1001) == "0.000999001"


def test_three_players_are_told_that_mixed_equilibria_were_not_searched(run):
    _, out, _ = run("solve", "coordination-3")
    assert "Method pure: 2 solutions" in out
    assert "Not complete: equilibria in mixed strategies were not searched." in out


def test_a_library_game_takes_parameters(solved):
    found = solved("hawk-dove:value=1/2,cost=2")
    assert any(x["profile"][0] == pytest.approx([0.25, 0.75]) for x in found["equilibria"])


def test_options_reach_their_method(solved):
    assert solved("chicken", "--method", "fictitious-play", "--steps", "7")["facts"]["steps"] == 7
    worst = solved("chicken", "--method", "correlated", "--objective=-welfare")
    assert sum(worst["equilibria"][0]["payoffs"]) == pytest.approx(7.2)
    second = solved("chicken", "--method", "correlated", "--objective", "2")
    assert second["equilibria"][0]["payoffs"] == pytest.approx([2, 7])
    weak = solved("chicken", "--method", "stackelberg", "--leader", "2", "--ties", "weak")
    assert weak["facts"]["leader"] == "2"
    play = ("inspection", "--method", "regret-matching", "--steps", "9", "--seed")
    assert solved(*play, "1") == solved(*play, "1")
    runs = {json.dumps(solved(*play, str(seed))) for seed in range(5)}
    assert len(runs) > 1


def test_a_player_is_named_before_it_is_numbered(tmp_path, solved):
    path = tmp_path / "game.json"
    path.write_text('{"row": [[0, 5]], "column": [[0, 1]], "players": ["2", "1"]}')
    for name, leader in (("1", "1"), ("2", "2")):
        found = solved(str(path), "--method", "stackelberg", "--leader", name)
        assert found["facts"]["leader"] == leader
    for name in ("2", "employer"):
        found = solved("inspection", "--method", "stackelberg", "--leader", name)
        assert found["facts"]["leader"] == "employer"


# -- exact ------------------------------------------------------------------------

THIRDS = {
    "json": '{"row": [["1/3", 0], [0, 0.1]], "column": [[1, 0], [0, 2e-1]]}',
    "nfg": 'NFG 1 R "" { "1" "2" } { 2 2 } 1/3 1  0 0  0 0  .1 2e-1',
}


@pytest.mark.parametrize("form", THIRDS)
def test_exact_payoffs_of_a_text_are_not_rounded(form, tmp_path, run, solved):
    path = tmp_path / f"game.{form}"
    path.write_text(THIRDS[form])
    found = solved(str(path), "--exact")
    mixed = found["equilibria"][1]
    assert mixed["exact"] == {
        "profile": [["1/6", "5/6"], ["3/13", "10/13"]],
        "payoffs": ["1/13", "1/6"],
        "index": -1,
    }
    assert mixed["profile"] == [pytest.approx([1 / 6, 5 / 6]), pytest.approx([3 / 13, 10 / 13])]
    assert found["complete"]
    assert len(found["components"]) == 3
    _, out, _ = run("solve", str(path), "--exact")
    assert (
        "1  1 1/6, 2 5/6\n   2  1 3/13, 2 10/13\n   payoffs 1/13, 1/6; no regret; index -1" in out
    )
    assert "Complete: there are no other equilibria." in out
    assert "Component" not in out


def test_exact_on_standard_input_and_of_an_archive(tmp_path, monkeypatch, solved):
    text = io.TextIOWrapper(io.BytesIO(b'{"zero_sum": [[0.3, 0], ["1/7", 0.1]]}'))
    monkeypatch.setattr(sys, "stdin", text)
    (answer,) = solved("-", "--exact")["equilibria"]
    assert answer["exact"]["payoffs"] == ["1/10", "-1/10"]
    write(NormalForm.zero_sum([[0.3, 0], [1 / 7, 0.1]]), tmp_path / "game.npz")
    (answer,) = solved(str(tmp_path / "game.npz"), "--exact")["equilibria"]
    assert answer["exact"]["payoffs"][0] == str(Fraction(0.1))


def test_library_games_count_as_they_are_written(solved):
    (answer,) = solved("biased-rps", "--exact")["equilibria"]
    assert answer["exact"]["profile"] == [["1/16", "5/8", "5/16"]] * 2


def test_components_of_a_degenerate_game(tmp_path, run, solved):
    path = tmp_path / "game.json"
    path.write_text('{"row": [[1, 1], [1, 0]], "column": [[1, 0], [0, 1]]}')
    found = solved(str(path), "--exact")
    assert (found["complete"], found["facts"]) == (True, {"degenerate": True, "indices": [1]})
    assert found["components"] == [
        [{"rows": [["1", "0"], ["1/2", "1/2"]], "columns": [["1", "0"]]}]
    ]
    _, out, _ = run("solve", str(path), "--exact")
    assert "Complete: every equilibrium lies in one of these components." in out
    assert "Component 1, index +1\n   mixtures of {1 1 | 1 1/2, 2 1/2} × {1 1}\n" in out
    assert "index undefined" in out


def test_many_components_are_cut_on_a_terminal(tmp_path, run):
    path = tmp_path / "game.json"
    path.write_text(json.dumps({"zero_sum": [[0] * 60] * 2}))
    _, out, _ = run("solve", str(path), "--exact")
    assert " | …}" in out
    assert "… and 70 more (--json prints all)" in out


@pytest.mark.parametrize("number", ["1e-999999999", '"1e-999999999"', "-1E-400"])
def test_numbers_too_near_to_zero_for_a_fraction_are_refused_at_once(number, tmp_path, run):
    path = tmp_path / "game.json"
    path.write_text(f'{{"zero_sum": [[{number}, 1]]}}')
    status, out, err = run("solve", str(path), "--exact")
    assert_one_line(status, out, err)
    assert "too near to 0 for exact arithmetic" in err


def test_a_zero_of_any_exponent_is_zero(tmp_path, solved):
    path = tmp_path / "game.json"
    path.write_text('{"zero_sum": [[0e-999999999, "0E+999999999", "-0/3"]]}')
    found = solved(str(path), "--exact")
    assert {tuple(x["exact"]["payoffs"]) for x in found["equilibria"]} == {("0", "0")}


def test_lemke_howson_prints_the_labels_of_each_equilibrium(run):
    _, out, _ = run("solve", "chicken", "--method", "lemke-howson")
    assert (
        "1. is reached from 1: give way, 2: dare\n2. is reached from 1: dare, 2: give way\n" in out
    )


# -- bad games ----------------------------------------------------------------------

BAD = {
    "ragged.json": (b'{"zero_sum": [[1, 2], [3]]}', "rows of unequal length"),
    "nan.json": (b'{"zero_sum": [[1, NaN]]}', "NaN; need finite numbers"),
    "players.json": (b'{"payoffs": [[[1, 2]], [[3, 4]], [[5, 6]]]}', "3 players need 4 axes"),
    "strings.json": (b'{"zero_sum": [["one", "two"]]}', "'one' is no number"),
    "empty.json": (b"", "empty"),
    "empty.nfg": (b"", "empty"),
    "empty.npz": (b"", "empty"),
    "junk.json": (bytes(range(256)), "not text in UTF-8"),
    "junk.nfg": (bytes(range(256)), "not text in UTF-8"),
    "junk.npz": (bytes(range(256)), "no .npz archive"),
    "names.nfg": (b'NFG 1 R "" { "a" "b" } { 2 }', "need a number of strategies for 'b'"),
    "short.nfg": (b'NFG 1 R "" { "a" "b" } { 2 2 }\n1 2 3', "line 2: need 8 payoffs, got 3"),
    "large.nfg": (b'NFG 1 R "" { "a" "b" } { 100000 10000 }', f"the cap is {MAX_ENTRIES}"),
    "game.efg": (b'EFG 2 R "tree"', "ends in one of .nfg, .json, .npz"),
    "terminal.json": (b'{"\\u001b[2J": 1}', "unknown key '\\x1b[2J'"),
}


def assert_one_line(status, out, err):
    assert (status, out) == (2, "")
    assert err.startswith("refmarl: error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert err[:-1].isprintable()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_and_status_2(name, tmp_path, run):
    data, says = BAD[name]
    (tmp_path / name).write_bytes(data)
    status, out, err = run("solve", str(tmp_path / name))
    assert_one_line(status, out, err)
    assert f"{tmp_path / name}: " in err
    assert says in err


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["missing.nfg"], "missing.nfg: No such file or directory"),
        (["folder.json"], "folder.json: Is a directory"),
        (["folder.json/game.npz"], "No such file"),
        (["chickne"], "no game is called 'chickne'; the nearest name is 'chicken'"),
        (["chicken:k=1"], "chicken: no parameter 'k'; it has none"),
        (["hawk-dove:speed=1"], "its parameters are value, cost"),
        (["hawk-dove:value"], "need each parameter once, as name=value; got 'value'"),
        (["hawk-dove:value=1,value=2"], "need each parameter once"),
        (["hawk-dove:value=much"], "hawk-dove:value=much: value: 'much' is no number"),
        (["chicken", "--method", "lemke"], "method: need auto, support"),
        (["chicken", "--method", "zero-sum"], "constant sum"),
        (["coordination-3", "--method", "support"], "need 2 players, got 3"),
        (["coordination-3", "--exact"], "exact equilibria: need 2 players, got 3"),
        (["blotto", "--exact"], "28 × 28 actions"),
        (["chicken", "--exact", "--method", "pure"], "exact: not an option of the method pure"),
        (["chicken", "--steps", "5"], "steps: not an option of the method auto"),
        (
            ["chicken", "--method", "correlated", "--objective", "Bob"],
            "need one of 1, 2; got 'Bob'",
        ),
        (["chicken", "--method", "stackelberg", "--leader", "3"], "leader: need one of 1, 2"),
        (["chicken", "--method", "fictitious-play", "--steps", "0"], "steps: need a whole number"),
        (["chicken", "--method", "regret-matching", "--seed", "-1"], "seed: need a whole number"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line_and_status_2(
    argv, says, tmp_path, run, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.json").mkdir()
    status, out, err = run("solve", *argv)
    assert_one_line(status, out, err)
    assert says in err


def test_names_of_a_stranger_do_not_reach_the_terminal_raw(tmp_path, run):
    names = '["\\u001b[2J", "\\u0007"]'
    path = tmp_path / "game.json"
    path.write_text(
        f'{{"row": [[1, 0], [0, 1]], "column": [[1, 0], [0, 1]], "title": "\\u001b[31m", '
        f'"players": {names}, "actions": [{names}, {names}]}}'
    )
    for method in METHODS.keys() - {"zero-sum"}:
        _, out, _ = run("solve", str(path), "--method", method)
        assert out.replace("\n", "").isprintable()


# -- whole processes ----------------------------------------------------------------


def process(*argv, **options):
    """``python -m refmarl`` with these arguments, ended after ten seconds at the latest."""
    command = [sys.executable, *argv]
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=10, env=environment, **options
    )


@pytest.mark.parametrize("name", ["junk.npz", "large.nfg", "nan.json"])
def test_a_bad_file_leaves_no_traceback_in_a_process_of_its_own(name, tmp_path):
    (tmp_path / name).write_bytes(BAD[name][0])
    done = process("-m", "refmarl", "solve", str(tmp_path / name))
    assert_one_line(done.returncode, done.stdout, done.stderr)


def test_bad_json_on_standard_input_is_one_line():
    done = process("-m", "refmarl", "solve", "-", input='{"zero_sum": [[1, 2')
    assert_one_line(done.returncode, done.stdout, done.stderr)
    assert "standard input: line 1: no JSON" in done.stderr


@pytest.mark.parametrize("argv", [["--help"], ["solve", "--help"], ["list", "--help"]])
def test_help_imports_no_numeric_library(argv):
    code = (
        "import sys\n"
        "from refmarl.cli import main\n"
        "try:\n"
        f"    main({argv!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'numpy', 'scipy', 'numba', 'matplotlib', 'hypothesis', 'rich'}\n"
        "print('loaded:', sorted(heavy & sys.modules.keys()))\n"
    )
    done = process("-c", code)
    assert done.stderr == ""
    assert done.stdout.endswith("loaded: []\n")


# -- list and show ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "key", "holds"),
    [
        ("games", "name", "chicken"),
        ("equations", "label", "nash"),
        ("exercises", "label", "expected-utility"),
        ("studies", "name", "s1.correlated"),
        ("methods", "name", "support"),
    ],
)
def test_list_names_what_there_is(kind, key, holds, run):
    status, out, _ = run("list", kind, "--json")
    rows = json.loads(out)
    assert status == 0
    assert holds in [row[key] for row in rows]
    assert all(row.keys() == rows[0].keys() for row in rows)
    status, out, err = run("list", kind)
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == len(rows) + 1


def test_every_listed_game_can_be_shown(capsys):
    for name in library.names():
        assert main(["show", name]) == 0
        out = capsys.readouterr().out
        entry = library.entry(name)
        assert out.startswith(f"{name}: {entry.game.title}\n")
        assert entry.source in out
        assert f"  {len(entry.equilibria)} published " in out


def test_show_prints_the_published_equilibria_exactly(run):
    _, out, _ = run("show", "chicken")
    assert "3 published equilibria, all" in out
    assert "2/3 1/3 | 2/3 1/3" in out
    _, out, _ = run("show", "hawk-dove:value=2,cost=5", "--json")
    found = json.loads(out)
    assert (found["parameters"], found["payoffs"][0][0]) == ({"value": 2, "cost": 5}, [-1.5, 2.0])
    assert [["2/5", "3/5"]] * 2 in found["equilibria"]


@pytest.mark.parametrize(("name", "near"), [("chickn", "chicken"), ("nahs", "nash")])
def test_show_names_the_nearest_equation_or_game(name, near, run):
    status, out, err = run("show", name)
    assert_one_line(status, out, err)
    assert f"no equation, game, algorithm or environment {name!r}; did you mean {near!r}?" in err
