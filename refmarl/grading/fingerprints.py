"""What a source file looks like when names, comments and the order of functions are forgotten.

Winnowing (Schleimer, Wilkerson, Aiken 2003): hashes of runs of K tokens, of which each window of W
runs keeps the smallest; two files that share K + W - 1 tokens in a row share a hash. A child that
may do nothing else runs this file's text on a stranger's: it imports nothing of ours.
"""

import builtins
import hashlib
import io
import keyword
import token
import tokenize
from collections.abc import Iterator

K, W = 9, 5
_LAYOUT = {
    token.COMMENT,
    token.NL,
    token.NEWLINE,
    token.INDENT,
    token.DEDENT,
    token.ENCODING,
    token.ENDMARKER,
    token.TYPE_COMMENT,
}
_KEPT = set(keyword.kwlist) | set(dir(builtins))


def fingerprints(data: bytes) -> tuple[list[int], list[int]]:
    """(those that winnowing keeps, all of them) of a source file, sorted."""
    kept: set[int] = set()
    every: set[int] = set()
    for piece in pieces(data):
        some, all_of_it = winnow(piece)
        kept |= some
        every |= all_of_it
    return sorted(kept), sorted(every)


def winnow(piece: list[str]) -> tuple[set[int], set[int]]:
    """(the smallest hash of each window, all hashes) of the runs of a list of tokens."""
    hashes = [_hash(piece[k : k + K]) for k in range(max(1, len(piece) - K + 1))]
    return {min(hashes[k : k + W]) for k in range(max(1, len(hashes) - W + 1))}, set(hashes)


def pieces(data: bytes) -> Iterator[list[str]]:
    """The tokens of each top-level function or class, and of what stands between them."""
    piece: list[str] = []
    depth = 0
    for kind, text, begins in _tokens(data):
        depth += (kind == token.INDENT) - (kind == token.DEDENT)
        if begins and not depth and piece:
            yield piece
            piece = []
        if kind not in _LAYOUT:
            piece.append(text)
    if piece:
        yield piece


def _tokens(data: bytes) -> Iterator[tuple[int, str, bool]]:
    """(kind, normalised text, whether it begins a definition); up to where the file is broken."""
    line: list[tokenize.TokenInfo] = []
    dotted = False
    try:
        for item in tokenize.tokenize(io.BytesIO(data).readline):
            line.append(item)
            if item.type in (token.NEWLINE, token.ENDMARKER, token.INDENT, token.DEDENT):
                if not _lone_string(line):
                    for one in line:
                        yield one.type, _plain(one, dotted), _begins(one, line)
                        dotted = one.string == "." if one.type not in _LAYOUT else dotted
                line = []
    except (tokenize.TokenError, SyntaxError, UnicodeDecodeError):
        return


def _lone_string(line: list[tokenize.TokenInfo]) -> bool:
    """Whether a statement is a text and nothing else, as docstrings are."""
    inside = [item for item in line if item.type not in _LAYOUT]
    return bool(inside) and all(item.type == token.STRING for item in inside)


def _begins(item: tokenize.TokenInfo, line: list[tokenize.TokenInfo]) -> bool:
    first = next((one for one in line if one.type not in _LAYOUT), None)
    return item is first and item.string in ("def", "class", "async", "@")


def _plain(item: tokenize.TokenInfo, dotted: bool) -> str:
    """A token with the student's own names, numbers and texts left out; attributes stay."""
    if item.type == token.NAME:
        return item.string if dotted or item.string in _KEPT else "name"
    if item.type == token.NUMBER:
        return "1"
    return '""' if item.type == token.STRING else item.string


def _hash(run: list[str]) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(run).encode(), digest_size=7).digest(), "big")
