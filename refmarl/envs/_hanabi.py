"""The kernels of Hanabi; the rules are told in :mod:`refmarl.envs.hanabi`.

A card is the number colour · R + rank, −1 where there is none. Of C colours, R ranks, N players and
H cards in a hand, actions are numbered: discard 0 … H−1, play H … 2H−1, then for each other player
in order of play the C + R hints, and last to wait, W = 2H + (N−1)(C+R).
"""

from ..check import Array
from ..kernels._jit import kernel
from ..kernels.counter import below
from ..value_grad import Real
from ._frame import close

NONE = -1


@kernel
def shuffle(key: Real, deck: Real, hand: Real) -> None:
    """Decks (B, D) in an order of the key, of which the first cards are dealt, hand after hand."""
    n, size = hand.shape[1], hand.shape[2]
    for b in range(deck.shape[0]):
        for k in range(deck.shape[1] - 1, 0, -1):
            j = below(key[b], 0, k, k + 1)
            deck[b, k], deck[b, j] = deck[b, j], deck[b, k]
        for i in range(n):
            for k in range(size):
                hand[b, i, k] = deck[b, i * size + k]


@kernel
def _is(card: int, ranks: int, colours: int, what: int) -> bool:
    """Whether a card is of a hint's colour (what < C) or rank."""
    if card < 0:
        return False
    return card // ranks == what if what < colours else card % ranks == what - colours


@kernel
def _may(a: int, who: int, hand: Real, tokens: int, most: int, colours: int, ranks: int) -> bool:
    """Whether the player in turn can do this; to wait is not among it."""
    n, size = hand.shape
    if a < 2 * size:
        return hand[who, a % size] != NONE and (a >= size or tokens < most)
    told, found = (who + 1 + (a - 2 * size) // (colours + ranks)) % n, False
    for k in range(size):
        found = found or _is(hand[told, k], ranks, colours, (a - 2 * size) % (colours + ranks))
    return found and tokens > 0


@kernel
def legal_actions(
    over: Real, turn: Real, hand: Real, tokens: Real, most: int, colours: int, ranks: int,
    legal: Real,
) -> None:  # fmt: skip
    """Fill in (B, N, W + 1): who is not in turn waits, and so do all when it is over."""
    wait = legal.shape[2] - 1
    for b in range(legal.shape[0]):
        for i in range(legal.shape[1]):
            acts = i == turn[b] and not over[b]
            legal[b, i, wait] = not acts
            for a in range(wait):
                legal[b, i, a] = acts and _may(a, i, hand[b], tokens[b], most, colours, ranks)


@kernel
def _lay(a: int, who: int, b: int, most: int, hand: Real, board: Real, gone: Real, tokens: Real,
         lives: Real, last: Real) -> float:  # fmt: skip
    """Play or discard a card; 1.0 if it is laid on the board."""
    size, ranks = hand.shape[2], gone.shape[2]
    card = hand[b, who, a % size]
    colour, rank = card // ranks, card % ranks
    laid = a >= size and board[b, colour] == rank
    if laid:
        board[b, colour] += 1
        if rank == ranks - 1 and tokens[b] < most:
            tokens[b] += 1
    else:
        gone[b, colour, rank] += 1
        if a >= size:
            lives[b] -= 1
        else:
            tokens[b] += 1
    last[b, 1], last[b, 2] = card, laid
    return 1.0 if laid else 0.0


@kernel
def _draw(slot: int, b: int, who: int, deck: Real, drawn: Real, hand: Real, colours: Real,
          ranks: Real) -> None:  # fmt: skip
    """The cards behind the slot move up; a new one, of which nothing is known, comes last."""
    size, more = hand.shape[2], drawn[b] < deck.shape[1]
    for k in range(slot, size - 1):
        hand[b, who, k] = hand[b, who, k + 1]
    hand[b, who, size - 1] = deck[b, drawn[b]] if more else NONE
    for known in (colours, ranks):  # number by number: slices take seconds to compile
        for c in range(known.shape[3]):
            for k in range(slot, size - 1):
                known[b, who, k, c] = known[b, who, k + 1, c]
            known[b, who, size - 1, c] = more
    drawn[b] += more


@kernel
def _tell(a: int, who: int, b: int, hand: Real, colours: Real, ranks: Real) -> None:
    """What is possible of each card of who is told, after the hint."""
    n, size = hand.shape[1:]
    kinds, values = colours.shape[3], ranks.shape[3]
    told = (who + 1 + (a - 2 * size) // (kinds + values)) % n
    what = (a - 2 * size) % (kinds + values)
    for k in range(size):
        if hand[b, told, k] == NONE:
            continue
        hit = _is(hand[b, told, k], values, kinds, what)
        if what < kinds:
            for c in range(kinds):
                colours[b, told, k, c] &= (c == what) == hit
        else:
            for r in range(values):
                ranks[b, told, k, r] &= (r == what - kinds) == hit


@kernel
def step(
    t: Real, over: Real, deck: Real, action: Real, most: int, forfeit: bool, horizon: int,
    drawn: Real, hand: Real, colours: Real, ranks: Real, board: Real, gone: Real, tokens: Real,
    lives: Real, left: Real, turn: Real, last: Real, t_next: Real, reward: Array, flags: Real,
) -> bool:  # fmt: skip
    """Change what stands from ``drawn`` on; False if a copy is over or an action not legal."""
    n, size = hand.shape[1:]
    kinds, values = gone.shape[1:]
    wait = 2 * size + (n - 1) * (kinds + values)
    for b in range(t.shape[0]):
        who = turn[b]
        a = action[b, who]
        if over[b] or not 0 <= a < wait:
            return False
        if not _may(a, who, hand[b], tokens[b], most, kinds, values):
            return False
        for i in range(n):
            if i != who and action[b, i] != wait:
                return False
        left[b] -= drawn[b] == deck.shape[1]
        last[b, 0], last[b, 1], last[b, 2] = a, NONE, 0
        pay = 0.0
        if a < 2 * size:
            pay = _lay(a, who, b, most, hand, board, gone, tokens, lives, last)
            _draw(a % size, b, who, deck, drawn, hand, colours, ranks)
        else:
            _tell(a, who, b, hand, colours, ranks)
            tokens[b] -= 1
        score = 0
        for c in range(kinds):
            score += board[b, c]
        if forfeit and lives[b] == 0:
            pay -= score
        for i in range(n):
            reward[b, i] = pay
        turn[b] = (who + 1) % n
        done = lives[b] == 0 or score == kinds * values or left[b] == 0
        close(b, t, done, horizon, t_next, flags)
    return True


@kernel
def look(
    mine: bool, deck: Real, drawn: Real, hand: Real, colours: Real, ranks: Real, board: Real,
    gone: Real, most: Real, tokens: Real, lives: Real, left: Real, turn: Real, last: Real,
    seen: Array,
) -> None:  # fmt: skip
    """Fill in what the first players see, (B, n, O), all zeros before; ``mine``: own cards, too."""
    n, size = hand.shape[1:]
    kinds, values = gone.shape[1:]
    cards, told = kinds * values, kinds + values
    dealt = deck.shape[1] - n * size
    for b in range(seen.shape[0]):
        for i in range(seen.shape[1]):
            row, at = seen[b, i], 0
            for j in range(0 if mine else 1, n):
                other = (i + j) % n
                for k in range(size):
                    if hand[b, other, k] != NONE:
                        row[at + hand[b, other, k]] = 1.0
                    at += cards
            for j in range(n):
                other = (i + j) % n
                for k in range(size):
                    for c in range(kinds):
                        row[at + c] = colours[b, other, k, c]
                    for r in range(values):
                        row[at + kinds + r] = ranks[b, other, k, r]
                    at += told
            for c in range(kinds):
                for r in range(board[b, c]):
                    row[at + c * values + r] = 1.0
            at += cards
            for c in range(kinds):
                for r in range(values):
                    row[at] = gone[b, c, r] / most[r]
                    at += 1
            row[at] = (deck.shape[1] - drawn[b]) / max(dealt, 1)
            row[at + 1] = tokens[b] / max(most[values], 1)
            row[at + 2] = lives[b] / most[values + 1]
            row[at + 3] = left[b] / n
            at += 4
            row[at + (turn[b] - i) % n] = 1.0
            at += n
            if last[b, 0] >= 0:
                row[at + last[b, 0]] = 1.0
            at += 2 * size + (n - 1) * told
            if last[b, 1] >= 0:
                row[at + last[b, 1]] = 1.0
            row[at + cards] = last[b, 2]


@kernel
def open_handed(
    over: Real, turn: Real, hand: Real, board: Real, gone: Real, copies: Real, tokens: Real,
    most: int, action: Real,
) -> None:  # fmt: skip
    """With all hands open: play what fits, else discard what is useless, else hint, else discard.

    Of cards that fit, the lowest goes first; discarded is what can still be had otherwise.
    """
    n, size = hand.shape[1:]
    kinds, values = gone.shape[1:]
    wait = 2 * size + (n - 1) * (kinds + values)
    for b in range(action.shape[0]):
        action[b, :] = wait
        if over[b]:
            continue
        who, best, first, fit = turn[b], 0, -1.0, -1
        for k in range(size):
            card = hand[b, who, k]
            if card == NONE:
                continue
            c, r = card // values, card % values
            if board[b, c] == r and (fit < 0 or r < hand[b, who, fit] % values):
                fit = k
            spare = 2.0 if board[b, c] > r else (copies[r] - gone[b, c, r] > 1) + r / values / 2
            if spare > first:
                best, first = k, spare
        if fit >= 0:
            action[b, who] = size + fit
            continue
        action[b, who] = size + best if tokens[b] >= most else best
        for a in range(2 * size, wait):
            useless = first >= 2.0 and tokens[b] < most
            if not useless and _may(a, who, hand[b], tokens[b], most, kinds, values):
                action[b, who] = a
                break
