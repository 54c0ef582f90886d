"""All Nash equilibria of three players with two actions each, exactly (course §1.1)  [+].

    u_i(x*) ≥ u_i(x_i, x*_-i)   for all i, x_i                                (1.3)

Player i plays its first action with probability p_i. What that gains over the second one is
bilinear in the others' probabilities,

    d_i = a + b p_j + c p_k + e p_j p_k,   and   p_i = 1 ⇒ d_i ≥ 0,  p_i = 0 ⇒ d_i ≤ 0,
                                                 0 < p_i < 1 ⇒ d_i = 0.

Each player plays one action, the other, or mixes: 27 cases. Where two mix, each probability solves
a linear equation. Where all three do, d_3 = 0 and d_2 = 0 give p_2 and p_3 as fractions N/D of
linear functions of p_1; put into d_1 = 0 they leave a quadratic equation. Its roots are u + v √Δ
with u, v, Δ rational, and so is all that follows: signs are decided exactly.

With payoffs in fractions two players always have an equilibrium in fractions; three need not.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import isqrt
from typing import NamedTuple

import numpy as np

from ..check import InputError, Profile
from .nash import is_nash
from .normal_form import NormalForm

ZERO, ONE = Fraction(0), Fraction(1)
Line = tuple[Fraction, Fraction]  # x[0] + x[1] p
Bilinear = tuple[Fraction, Fraction, Fraction, Fraction]  # a, b, c, e; the partners ascend


class Surd(NamedTuple):
    """u + v √Δ, Δ no square or 0; numbers that are combined have the same Δ, or 0."""

    u: Fraction
    v: Fraction = ZERO
    delta: Fraction = ZERO

    def plus(self, other: "Surd") -> "Surd":
        """The sum."""
        return Surd(self.u + other.u, self.v + other.v, self.delta or other.delta)

    def times(self, other: "Surd") -> "Surd":
        """The product."""
        delta = self.delta or other.delta
        u = self.u * other.u + self.v * other.v * delta
        return Surd(u, self.u * other.v + self.v * other.u, delta)

    def over(self, other: "Surd") -> "Surd":
        """The quotient; ``other`` is not 0."""
        norm = other.u**2 - other.v**2 * other.delta
        return self.times(Surd(other.u / norm, -other.v / norm, other.delta))

    def sign(self) -> int:
        """+1, 0 or -1."""
        first, second = _sign(self.u), _sign(self.v) * _sign(self.delta)
        if first * second >= 0:
            return first or second
        return first * _sign(self.u**2 - self.v**2 * self.delta)

    def inside(self) -> bool:
        """Whether it lies in the open interval (0, 1)."""
        return self.sign() > 0 and Surd(self.u - 1, self.v, self.delta).sign() < 0

    def number(self) -> float:
        """The nearest float, up to rounding."""
        return float(self.u + self.v * _root(self.delta))


Found = tuple[list[tuple[Surd, ...]], bool]  # equilibria, and whether there may be endlessly many


class AllEquilibria(NamedTuple):
    """The equilibria found, and whether they are all."""

    profiles: tuple[Profile, ...]  # in descending order
    complete: bool  # there is no other one
    reason: str  # why there may be others; "" if complete


def _sign(x: Fraction) -> int:
    return (x > 0) - (x < 0)


def _root(delta: Fraction) -> Fraction:
    """√Δ to some 60 digits; exact where it is rational."""
    bits = 200 + 2 * max(0, delta.denominator.bit_length() - delta.numerator.bit_length())
    top, bottom = isqrt(delta.numerator), isqrt(delta.denominator)
    if (top**2, bottom**2) == (delta.numerator, delta.denominator):
        return Fraction(top, bottom)
    return Fraction(isqrt((delta.numerator << 2 * bits) // delta.denominator), 1 << bits)


def _gain(game: NormalForm, i: int) -> Bilinear:
    """d_i, exactly for the game's floats."""
    own = np.moveaxis(game.payoffs[i], i, 0).tolist()
    d = [[Fraction(own[0][j][k]) - Fraction(own[1][j][k]) for k in (0, 1)] for j in (0, 1)]
    a, b, c = d[1][1], d[0][1] - d[1][1], d[1][0] - d[1][1]
    return a, b, c, d[0][0] - d[0][1] - d[1][0] + d[1][1]


def _at(d: Bilinear, x: Surd, y: Surd) -> Surd:
    """a + b x + c y + e x y."""
    a, b, c, e = map(Surd, d)
    return a.plus(b.times(x)).plus(c.times(y)).plus(e.times(x).times(y))


def _swapped(d: Bilinear) -> Bilinear:
    return d[0], d[2], d[1], d[3]


def _stable(gains: list[Bilinear], p: tuple[Surd, ...]) -> bool:
    """Whether nobody gains by deviating."""
    for i, d in enumerate(gains):
        gain = _at(d, *(x for j, x in enumerate(p) if j != i)).sign()
        if (gain > 0 and p[i] != Surd(ONE)) or (gain < 0 and p[i] != Surd(ZERO)):
            return False
    return True


def _signs(d: Bilinear) -> set[int]:
    """The signs that a gain takes where the others play actions for sure: its extremes."""
    ends = (Surd(ZERO), Surd(ONE))
    return {_at(d, x, y).sign() for x, y in product(ends, repeat=2)}


def _linear(level: Fraction, slope: Fraction) -> tuple[Fraction | None, bool]:
    """(the root of level + slope p, whether every p is one)."""
    if slope == 0:
        return None, level == 0
    return -level / slope, False


def _one_mixes(gains: list[Bilinear], i: int, others: tuple[Fraction, ...]) -> Found:
    """Player i mixes and is indifferent; the others' actions must be best against p_i."""
    if _at(gains[i], *map(Surd, others)).sign() != 0:
        return [], False
    low, high = ZERO, ONE
    for k in range(3):
        if k == i:
            continue
        at = others[k - (k > i)]
        third = others[1 - (k - (k > i))]
        a, b, c, e = gains[k] if i < 3 - i - k else _swapped(gains[k])  # the first partner is i
        level, slope = a + c * third, b + e * third
        if at == 0:
            level, slope = -level, -slope  # now level + slope p_i ≥ 0 is needed
        root, _ = _linear(level, slope)
        if root is None:
            high = high if level >= 0 else Fraction(-1)
        elif slope > 0:
            low = max(low, root)
        else:
            high = min(high, root)
    point = [*others[:i], low, *others[i:]]
    return [tuple(map(Surd, point))] * (low == high and 0 < low < 1), low < high


def _two_mix(gains: list[Bilinear], k: int, fixed: Fraction) -> Found:
    """The two others mix and make each other indifferent; player k plays one action."""
    p: list[Fraction | None] = [fixed] * 3
    free = False
    for i, j in ((s, t) for s, t in product(range(3), repeat=2) if len({s, t, k}) == 3):
        a, b, c, e = gains[i] if j < k else _swapped(gains[i])  # the first partner is j
        p[j], every = _linear(a + c * fixed, b + e * fixed)
        free |= every
        if not every and (p[j] is None or not 0 < p[j] < 1):  # type: ignore[operator]
            return [], False
    if free:
        wanted = 1 if fixed == 1 else -1
        return [], wanted in (signs := _signs(gains[k])) or signs == {0}
    point = tuple(Surd(x) for x in p if x is not None)
    return [point] * _stable(gains, point), False


def _fraction_at(n: Line, d: Line, p: Surd) -> Surd | None:
    """n/d at p, None where d is 0."""
    top, bottom = (Surd(x[0]).plus(Surd(x[1]).times(p)) for x in (n, d))
    return top.over(bottom) if bottom.sign() else None


def _three_mix(gains: list[Bilinear]) -> Found:
    """All are indifferent; no gain may have one sign throughout, for then it is not 0 inside."""
    if any(len(_signs(d) - {0}) == 1 for d in gains):
        return [], False
    (a1, b1, c1, e1), (a2, b2, c2, e2), (a3, b3, c3, e3) = gains
    n2, d2, n3, d3 = (-a3, -b3), (c3, e3), (-a2, -b2), (c2, e2)  # p_2 = n2/d2, p_3 = n3/d3
    terms = ((a1, d2, d3), (b1, n2, d3), (c1, d2, n3), (e1, n2, n3))
    low = sum((s * x[0] * y[0] for s, x, y in terms), ZERO)
    mid = sum((s * (x[0] * y[1] + x[1] * y[0]) for s, x, y in terms), ZERO)
    high = sum((s * x[1] * y[1] for s, x, y in terms), ZERO)
    found: list[tuple[Surd, ...]] = []
    loose = low == mid == high == 0
    for p in roots(low, mid, high):
        second, third = _fraction_at(n2, d2, p), _fraction_at(n3, d3, p)
        if second is not None and third is not None:
            found.append((p, second, third))
    for which, (n, d) in enumerate(((n2, d2), (n3, d3))):
        more, endless = _factored(n, d, (n2, d2, n3, d3), gains[0], which)
        found, loose = found + more, loose or endless
    return [p for p in found if all(x.inside() for x in p)], loose


def _factored(n: Line, d: Line, lines: tuple[Line, ...], first: Bilinear, which: int) -> Found:
    """d p' - n vanishes for every p' at a p_1 where n = d = 0; then d_1 = 0 determines p'."""
    if n[0] * d[1] != n[1] * d[0]:
        return [], False
    root, every = _linear(*(d if any(d) else n))
    if root is None or not 0 < root < 1:
        return [], every
    if n[0] + n[1] * root != 0:
        return [], False
    p = Surd(root)
    other = _fraction_at(lines[2 - 2 * which], lines[3 - 2 * which], p)
    if other is None:
        return [], True
    a, b, c, e = first if which == 0 else _swapped(first)  # the first partner is the free one
    free, every = _linear(a + c * other.u, b + e * other.u)
    if free is None:
        return [], every
    pair = (Surd(free), other) if which == 0 else (other, Surd(free))
    return [(p, *pair)], False


def roots(low: Fraction, mid: Fraction, high: Fraction) -> Iterator[Surd]:
    """The real roots of low + mid p + high p², each once; none if all are 0.

    Examples
    --------
    >>> [round(p.number(), 6) for p in roots(Fraction(-1), Fraction(0), Fraction(2))]
    [0.707107, -0.707107]
    """
    if high == 0:
        if mid != 0:
            yield Surd(-low / mid)
        return
    delta = mid**2 - 4 * low * high
    for side in (1, -1) if delta > 0 else (1,) if delta == 0 else ():
        root = _root(delta)
        if root**2 == delta:
            yield Surd((side * root - mid) / (2 * high))
        else:
            yield Surd(-mid / (2 * high), Fraction(side) / (2 * high), delta)


def all_equilibria_of_three(game: NormalForm) -> AllEquilibria:
    """All Nash equilibria of a game of three players with two actions each.

    ``complete`` unless the game is degenerate in a way that may leave infinitely many; those that
    are given then are some of them.

    Raises
    ------
    InputError
        If the game has another shape.

    Examples
    --------
    Staying pays 0, going 1, but -1 if all three go: everybody may go with probability 1/√2.

    >>> stay = np.indices((2, 2, 2))
    >>> crowd = (stay == 0).all(axis=0)
    >>> found = all_equilibria_of_three(NormalForm(np.where(stay == 1, 0, np.where(crowd, -1, 1))))
    >>> len(found.profiles), found.complete
    (7, True)
    """
    if game.num_actions != (2, 2, 2):
        raise InputError(f"need three players with 2 actions each, got {game.num_actions}")
    gains = [_gain(game, i) for i in range(3)]
    parts = [_three_mix(gains)]
    for k, fixed in product(range(3), (ZERO, ONE)):
        parts.append(_two_mix(gains, k, fixed))
    for i, others in product(range(3), product((ZERO, ONE), repeat=2)):
        parts.append(_one_mixes(gains, i, others))
    corners = [tuple(map(Surd, bits)) for bits in product((ZERO, ONE), repeat=3)]
    parts.append(([p for p in corners if _stable(gains, p)], False))
    found, loose = {p for part in parts for p in part[0]}, any(part[1] for part in parts)
    numbers = sorted(([x.number() for x in p] for p in found), reverse=True)
    profiles = tuple(tuple(np.array([x, 1.0 - x]) for x in p) for p in numbers)
    reason = "the game is degenerate: there may be infinitely many" if loose else ""
    return AllEquilibria(tuple(p for p in profiles if is_nash(game, p)), not loose, reason)
