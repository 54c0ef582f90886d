"""What is handed in is read within limits: nothing is followed, nothing raises."""

import io
import os
import stat
import struct
import tempfile
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.grading import archive, intake

WANTED = {
    "nash": Path("s1_games/e03_nash.py"),
    "gae": Path("s3_policy_gradient/e05_gae.py"),
    "flat": Path("flat.py"),
}
NASH, GAE = WANTED["nash"].as_posix(), WANTED["gae"].as_posix()


def tree(root, files):
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def zipped(path, files, compression=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as out:
        warnings.simplefilter("ignore")  # two members of one name are meant
        for name, data in files.items() if isinstance(files, dict) else files:
            out.writestr(name, data)
    return path


def test_a_folder_and_its_zip_are_the_same_submission(tmp_path):
    files = {NASH: b"x = 1\n", GAE: b"y = 2\n", "notes.txt": b"hello", "s1_games/more.py": b""}
    folder = intake.read(tree(tmp_path / "a", files), WANTED)
    assert folder == intake.read(zipped(tmp_path / "a.zip", files), WANTED)
    assert folder.files == {"nash": b"x = 1\n", "gae": b"y = 2\n"}
    assert folder.ignored == ("notes.txt", "s1_games/more.py")
    assert (folder.refused, folder.notes) == ({}, ())


@pytest.mark.parametrize("top", ["homework/", "a b/exercises/", "one/two/three/", "ä/"])
def test_the_folder_around_the_exercises_does_not_matter(tmp_path, top):
    plain = intake.read(tree(tmp_path / "a", {NASH: b"x"}), WANTED)
    assert intake.read(tree(tmp_path / "b", {top + NASH: b"x"}), WANTED) == plain
    assert intake.read(zipped(tmp_path / "b.zip", {top + NASH: b"x"}), WANTED) == plain


@given(st.permutations([f"{top}{NASH}" for top in ("", "a/", "b/", "a/b/")]), st.integers(1, 4))
def test_of_several_copies_the_one_nearest_the_top_counts_in_any_order(names, count):
    names = names[:count]
    data = io.BytesIO()
    zipped(data, {name: name.encode() for name in names})
    with _file(data.getvalue()) as file, archive.members(file) as opened:
        entries, notes = intake._listed(opened)
        got = intake._collected(
            entries, notes, WANTED, lambda entry: intake._member(opened, entry.source)
        )
    assert got.files["nash"].decode() == min(names, key=lambda name: (name.count("/"), name))
    assert len(got.notes) == (count > 1)


@contextmanager
def _file(data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file


def test_a_platforms_folder_around_one_zip_is_read(tmp_path):
    (tmp_path / "jane_1234_file").mkdir()
    zipped(tmp_path / "jane_1234_file" / "work.zip", {"hw/" + NASH: b"x"})
    assert intake.read(tmp_path / "jane_1234_file", WANTED).files == {"nash": b"x"}


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"x" * (intake.MAX_FILE + 1), "larger than 256 KiB"),
        (b"x = '\0'", "NUL"),
        (b"a = 1\nb = '\xe4'", "not UTF-8 (line 2)"),
        ("a = 1".encode("utf-16"), "NUL|not UTF-8"),
    ],
)
def test_what_is_no_source_is_refused_and_the_rest_is_graded(tmp_path, data, word):
    for path in (
        tree(tmp_path / "a", {NASH: data, GAE: b"y"}),
        zipped(tmp_path / "a.zip", {NASH: data, GAE: b"y"}),
    ):
        got = intake.read(path, WANTED)
        assert got.files == {"gae": b"y"}
        assert any(w in got.refused["nash"] for w in word.split("|"))


def test_a_byte_order_mark_and_foreign_line_ends_are_left_for_python(tmp_path):
    data = b"\xef\xbb\xbfx = 1\r\ny = '\xc3\xa4'\r\n"
    assert intake.read(tree(tmp_path / "a", {NASH: data}), WANTED).files["nash"] == data


def test_all_files_together_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_TOTAL", 10)
    got = intake.read(tree(tmp_path / "a", {NASH: b"x" * 8, GAE: b"y" * 8}), WANTED)
    assert got.files == {"nash": b"x" * 8}
    assert "together" in got.refused["gae"]


def test_links_are_not_followed(tmp_path):
    secret = tree(tmp_path / "secret", {"nash.py": b"answer = 42", NASH: b"answer = 42"})
    linked = tree(tmp_path / "a", {GAE: b"y"})
    (linked / "s1_games").mkdir()
    (linked / NASH).symlink_to(secret / "nash.py")
    got = intake.read(linked, WANTED)
    assert got.files == {"gae": b"y"}
    assert got.refused == {"nash": "is a symbolic link"}
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "s1_games").symlink_to(secret / "s1_games")  # a folder
    assert intake.read(tmp_path / "b", WANTED).files == {}
    (tmp_path / "c").symlink_to(secret)  # the submission itself
    got = intake.gathered(tmp_path / "c", WANTED)
    assert (got.files, got.notes) == ({}, ("is a symbolic link and was not followed",))


def test_a_link_on_the_way_is_seen_even_if_it_was_put_there_after_the_look(tmp_path):
    tree(tmp_path / "secret", {"e03_nash.py": b"answer = 42"})
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "s1_games").symlink_to(tmp_path / "secret")
    data, fault = intake._below(tmp_path / "a", ("s1_games", "e03_nash.py"))
    assert data == b""
    assert fault.startswith("cannot be read")


def test_pipes_and_sockets_are_not_waited_for(tmp_path):
    (tmp_path / "a" / "s1_games").mkdir(parents=True)
    os.mkfifo(tmp_path / "a" / NASH)
    assert intake.read(tmp_path / "a", WANTED).refused == {"nash": "is not a regular file"}
    os.mkfifo(tmp_path / "b.zip")
    assert "need a folder or a zip" in intake.gathered(tmp_path / "b.zip", WANTED).notes[0]


def test_members_outside_the_archive_are_told_and_never_read(tmp_path):
    names = ["/" + NASH, "../" + NASH, "a/../../" + NASH, "C:/" + NASH, "..\\" + NASH]
    got = intake.read(zipped(tmp_path / "a.zip", dict.fromkeys(names, b"x")), WANTED)
    assert (got.files, got.ignored) == ({}, ())
    assert "outside itself" in got.notes[0]


def test_a_link_in_a_zip_is_no_file(tmp_path):
    info = zipfile.ZipInfo(NASH)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    got = intake.read(zipped(tmp_path / "a.zip", [(info, "../../solutions/x.py")]), WANTED)
    assert (got.files, got.refused) == ({}, {"nash": "is a symbolic link"})


def test_of_two_members_of_a_name_the_last_counts_and_it_is_told(tmp_path):
    got = intake.read(zipped(tmp_path / "a.zip", [(NASH, b"1"), (NASH, b"2")]), WANTED)
    assert got.files == {"nash": b"2"}
    assert "two files of the name" in got.notes[0]


def test_an_encrypted_member_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {NASH: b"x", GAE: b"y"})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")  # its entry in the list
    data[at + 8] |= 1
    path.write_bytes(data)
    got = intake.read(path, WANTED)
    assert (got.files, got.refused) == ({"gae": b"y"}, {"nash": "is encrypted"})


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_compressions_are_refused_because_their_memory_is_not_bounded(tmp_path, method):
    got = intake.read(zipped(tmp_path / "a.zip", {NASH: b"x"}, method), WANTED)
    assert "ordinary zip" in got.refused["nash"]


def test_a_bomb_is_unpacked_to_the_limit_only(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", {NASH: b"0" * 200_000_000, "other.bin": b"0" * 200_000_000})
    assert path.stat().st_size < 500_000
    seen = []
    real = zipfile.ZipExtFile.read
    monkeypatch.setattr(
        zipfile.ZipExtFile, "read", lambda self, n: seen.append(len(real(self, n))) or b"0" * n
    )
    got = intake.read(path, WANTED)
    assert got.refused == {"nash": "is larger than 256 KiB"}
    assert seen == [intake.MAX_FILE + 1]


def test_a_long_list_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", {f"{k:090}.txt": b"" for k in range(16_000)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "names" in intake.gathered(path, WANTED).notes[0]


def test_a_list_that_lies_about_its_length_is_no_way_around(tmp_path):
    path = zipped(tmp_path / "a.zip", {f"{k:090}.txt": b"" for k in range(16_000)})
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\5\6")
    (length,) = struct.unpack("<I", data[end + 12 : end + 16])
    data[end + 12 : end + 16] = struct.pack("<I", 100)
    locator = b"PK\6\7" + b"\0" * 16  # of a zip64 list, which zipfile would believe
    path.write_bytes(bytes(data[:end]) + locator + bytes(data[end:]))
    assert length > archive.MAX_LIST
    assert "zip64" in intake.gathered(path, WANTED).notes[0]


@given(st.binary(max_size=40), st.integers(0, 2**30), st.integers(0, 2**30))
def test_a_damaged_zip_gives_a_note_and_nothing_else(junk, where, cut):
    data = io.BytesIO()
    zipped(data, {NASH: b"print()\n" * 50, GAE: b"y"})
    bytes_ = bytearray(data.getvalue())
    where %= len(bytes_)
    bytes_[where : where + len(junk)] = junk
    with _file(bytes(bytes_[: len(bytes_) - cut % 60 * (cut % 2)])) as file:
        try:
            got = intake._zip(file, WANTED)
        except InputError:
            return
    assert set(got.files) | set(got.refused) <= set(WANTED)
    assert all(len(x) <= intake.MAX_FILE for x in got.files.values())


def test_names_that_are_no_text_are_told_in_plain_characters(tmp_path):
    folder = tree(tmp_path / "a", {NASH: b"x"})
    (folder / os.fsdecode(b"\xff\xfe\x1b[31m.txt")).write_bytes(b"")
    (folder / "\u202egnp.py").write_bytes(b"")
    got = intake.read(folder, WANTED)
    assert got.files == {"nash": b"x"}
    assert all(name.isascii() and name.isprintable() for name in got.ignored)
    "".join(got.ignored).encode("utf-8")


def test_deep_and_wide_folders_end(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_ENTRIES", 50)
    deep = tmp_path / "a" / "/".join("d" * 40)
    tree(deep, {NASH: b"x"})
    assert intake.read(tmp_path / "a", WANTED).files == {}
    wide = tree(tmp_path / "b", {f"{k}.txt": b"" for k in range(100)} | {"z/" + NASH: b"x"})
    got = intake.read(wide, WANTED)
    assert got.files == {}
    assert "the rest was not looked at" in got.notes[0]


def test_what_python_and_git_leave_behind_is_not_listed(tmp_path):
    files = {NASH: b"x", "__pycache__/a.pyc": b"", "__MACOSX/._x": b"", ".git/HEAD": b""}
    files |= {"docs/s1_games/nash.md": b"", ".DS_Store": b"", "x/manifest.json": b""}
    assert intake.read(tree(tmp_path / "a", files), WANTED).ignored == ()
    assert intake.read(zipped(tmp_path / "a.zip", files), WANTED).ignored == ()


@pytest.mark.parametrize("name", ["none", "a.txt"])
def test_what_is_no_submission_is_one_line(tmp_path, name):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(InputError, match=name) as error:
        intake.read(tmp_path / name, WANTED)
    assert "\n" not in str(error.value)


# -- a class ----------------------------------------------------------------------------------


def test_a_class_is_its_folders_and_zips_in_order_of_their_ids(tmp_path):
    for name in ("zoe", "Ann", "bo"):
        tree(tmp_path / name, {NASH: b""})
    zipped(tmp_path / "carl.zip", {NASH: b""})
    tree(tmp_path, {"roster.csv": b"", ".hidden/x": b"", "out/x": b""})
    got = intake.arrivals(tmp_path, WANTED, tmp_path / "out")
    assert [a.id for a in got] == ["Ann", "bo", "carl", "zoe"]
    assert [a.name for a in got] == ["Ann", "bo", "carl.zip", "zoe"]


def test_ids_are_safe_and_different(tmp_path):
    odd = os.fsdecode(b"\xff")
    for name in ("jo", "JO.zip", "a\nb", "=cmd", "..x", "a/..".replace("/", "\u2215"), odd):
        (tmp_path / name).mkdir()
    zipped(tmp_path / "jo.zip", {NASH: b""})
    ids = [a.id for a in intake.arrivals(tmp_path, WANTED, tmp_path / "out")]
    assert len({i.casefold() for i in ids}) == 7  # "..x" is hidden
    for i in ids:
        assert i.isprintable()
        assert not set(i) & set("/\\=\n")
        assert not i.startswith(".")
        i.encode("utf-8")
    assert "jo" in ids  # the folder comes before the zip of the same name
    assert ids == [a.id for a in intake.arrivals(tmp_path, WANTED, tmp_path / "out")]


def test_one_submission_or_none_is_no_class(tmp_path):
    with pytest.raises(InputError, match="no submission in it"):
        intake.arrivals(tmp_path, WANTED, tmp_path / "out")
    with pytest.raises(InputError, match="no such folder"):
        intake.arrivals(tmp_path / "none", WANTED, tmp_path / "out")
    with pytest.raises(InputError, match="is one submission"):
        intake.arrivals(tree(tmp_path, {NASH: b""}), WANTED, tmp_path / "out")
