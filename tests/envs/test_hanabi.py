"""Hanabi: cards are kept, hints say what is so, nobody sees the own hand, and the exact optimum."""

from itertools import product
from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from refmarl.check import InputError
from refmarl.env_api import advance, random_actions, take
from refmarl.envs import Hanabi
from refmarl.envs.hanabi import NAMED
from refmarl.games.hanabi import Rules, deals, optimum
from refmarl.rollout import Act
from refmarl.testing.check_env import check_env
from refmarl.training.certify import best_return, certify
from refmarl.training.evaluate import at_random, evaluate, play_from, seeing

SEEDS = st.integers(0, 2**32)


@st.composite
def tables(draw):
    """Games of all shapes that have cards for all."""
    ranks = draw(st.integers(1, 4))
    sizes = {
        "colours": draw(st.integers(1, 4)),
        "top": ranks,
        "copies": tuple(draw(st.lists(st.integers(1, 3), min_size=ranks, max_size=ranks))),
        "hand": draw(st.integers(1, 3)),
        "players": draw(st.integers(2, 4)),
        "tokens": draw(st.integers(0, 4)),
        "lives": draw(st.integers(1, 3)),
        "forfeit": draw(st.booleans()),
    }
    cards = sizes["colours"] * sum(sizes["copies"])
    while cards < sizes["players"] * sizes["hand"]:
        if sizes["hand"] > 1:
            sizes["hand"] -= 1
        else:
            sizes["colours"] += 1
            cards = sizes["colours"] * sum(sizes["copies"])
    return Hanabi(**sizes)


def played(env, seed, copies=6, most=60):
    """(before, action, after, step) of games that are half random and half well played."""
    rng = np.random.default_rng(seed)
    state = env.reset(rng, copies)
    for _ in range(most):
        chance, plan = random_actions(env, rng, state)[0], env.heuristic(state)[0]
        action = np.where(rng.random((len(state.t), 1)) < 0.5, chance, plan)
        after, step = env.step(state, (action,))
        yield state, action, after, step
        going = np.flatnonzero(~after.ended)
        if len(going) == 0:
            return
        state = take(after, going)


def acting(state):
    return np.arange(len(state.t)), state.turn


@pytest.mark.parametrize("size", list(NAMED))
def test_it_keeps_all_promises(size):
    check_env(Hanabi(size=size))


def test_other_shapes_keep_them_too():
    check_env(Hanabi(size="small", players=3, forfeit=False, horizon=9))
    check_env(Hanabi(colours=1, top=1, copies=(2,), hand=1, tokens=0, lives=3))


# -- cards ------------------------------------------------------------------------------


@settings(max_examples=40)
@given(tables(), SEEDS)
def test_no_card_is_lost_and_the_score_never_falls(env, seed):
    """Hands, deck, board and discards are all cards, once; rewards add up to the score."""
    kinds, ranks = env.numbers.colours, env.numbers.ranks
    all_cards = np.bincount(env.numbers.cards, minlength=kinds * ranks)
    for before, _, after, step in played(env, seed):
        for b in range(len(after.t)):
            held = after.hand[b][after.hand[b] >= 0]
            deck = after.deck[b, after.drawn[b] :]
            counts = np.bincount(np.concatenate([held, deck]), minlength=kinds * ranks)
            laid = np.arange(ranks) < after.board[b][:, None]
            assert_array_equal(counts + (laid + after.gone[b]).ravel(), all_cards)
        gained = after.board.sum(axis=1) - before.board.sum(axis=1)
        assert (gained >= 0).all()
        assert (after.board >= before.board).all()
        assert (after.tokens >= 0).all()
        assert (after.tokens <= env.numbers.tokens).all()
        lost = env.forfeit & (after.lives == 0)
        paid = gained - np.where(lost, after.board.sum(axis=1), 0)
        assert_array_equal(step.reward[0], np.repeat(paid[:, None], env.numbers.players, axis=1))


def allowed(env, state, b):
    """The legal actions of who is in turn, from the rules as a person reads them."""
    rules, who = env.numbers, int(state.turn[b])
    found, hands = set(), state.hand[b]
    for k, card in enumerate(hands[who]):
        if card >= 0:
            found |= {rules.hand + k} | ({k} if state.tokens[b] < rules.tokens else set())
    number = 2 * rules.hand
    for further in range(1, rules.players):
        cards = [c for c in hands[(who + further) % rules.players] if c >= 0]
        told = [{c // rules.ranks for c in cards}, {c % rules.ranks for c in cards}]
        for there, size in zip(told, (rules.colours, rules.ranks), strict=True):
            found |= {number + v for v in there if state.tokens[b] > 0}
            number += size
    return found


@settings(max_examples=25)
@given(tables(), SEEDS)
def test_masks_are_the_legal_moves_and_nothing_else_is_taken(env, seed):
    n = env.numbers.players
    for before, _, _, _ in played(env, seed, copies=2, most=12):
        (mask,) = env.mask(before)
        for b in range(len(before.t)):
            who, legal = int(before.turn[b]), allowed(env, before, b)
            assert set(np.flatnonzero(mask[b, who])) == legal
            others = np.delete(mask[b], who, axis=0)
            assert others[:, env.wait].all()
            assert not others[:, : env.wait].any()
            for a in range(env.wait + 1):
                action = np.full((1, n), env.wait)
                action[0, who] = a
                if a in legal:
                    env.step(take(before, [b]), (action,))
                    action[0, (who + 1) % n] = a  # out of turn
                with pytest.raises(InputError, match="not legal"):
                    env.step(take(before, [b]), (action,))


@settings(max_examples=40)
@given(tables(), SEEDS)
def test_a_hint_shows_all_cards_of_its_kind_and_no_others(env, seed):
    rules = env.numbers
    for before, action, after, _ in played(env, seed):
        a = action[acting(before)]
        for b in np.flatnonzero(a >= 2 * rules.hand):
            further, what = divmod(int(a[b]) - 2 * rules.hand, rules.colours + rules.ranks)
            told = (int(before.turn[b]) + 1 + further) % rules.players
            by_colour = what < rules.colours
            field, value = ("colours", what) if by_colour else ("ranks", what - rules.colours)
            hand, known = after.hand[b, told], getattr(after, field)[b, told]
            worth = hand // rules.ranks if by_colour else hand % rules.ranks
            for k in np.flatnonzero(hand >= 0):
                assert known[k, value] == (worth[k] == value)
                if worth[k] == value:
                    assert known[k].sum() == 1
            same = np.ones((rules.players,), bool)
            same[told] = False
            assert_array_equal(getattr(after, field)[b, same], getattr(before, field)[b, same])
            other = "ranks" if by_colour else "colours"
            assert_array_equal(getattr(after, other)[b], getattr(before, other)[b])
        held = np.argwhere(after.hand >= 0)
        cards = after.hand[tuple(held.T)]
        assert after.colours[(*held.T, cards // rules.ranks)].all()  # what is so stays possible
        assert after.ranks[(*held.T, cards % rules.ranks)].all()


@settings(max_examples=40)
@given(tables(), SEEDS)
def test_a_new_card_comes_last_and_nothing_is_known_of_it(env, seed):
    rules = env.numbers
    for before, action, after, _ in played(env, seed):
        where = acting(before)
        for b in np.flatnonzero(action[where] < 2 * rules.hand):
            who, slot = int(before.turn[b]), int(action[where][b]) % rules.hand
            kept = np.delete(np.arange(rules.hand), slot)
            for field in ("hand", "colours", "ranks"):
                old, new = (getattr(s, field)[b, who] for s in (before, after))
                assert_array_equal(new[:-1], old[kept])
            fresh = before.drawn[b] < after.deck.shape[1]
            assert (after.hand[b, who, -1] >= 0) == fresh
            assert (after.colours[b, who, -1] == fresh).all()
            assert (after.ranks[b, who, -1] == fresh).all()


@settings(max_examples=40)
@given(tables(), SEEDS)
def test_after_the_deck_everybody_has_one_more_turn(env, seed):
    if len(env.numbers.cards) == env.numbers.players * env.numbers.hand:
        return  # nothing to draw from the first
    turns = 0
    for before, _, after, step in played(env, seed, copies=1):
        out = before.drawn[0] == before.deck.shape[1]
        turns = turns + 1 if out else 0
        full = after.board[0].sum() == env.numbers.colours * env.numbers.ranks
        last = full or after.lives[0] == 0 or turns == env.numbers.players
        assert step.terminated[0] == last


# -- what is seen -----------------------------------------------------------------------


def parts(env, seen):
    """An observation cut into what it tells."""
    ends = np.cumsum(list(env.layout.values()))[:-1]
    return dict(zip(env.layout, np.split(seen, ends, axis=-1), strict=True))


@settings(max_examples=15)
@given(tables(), SEEDS)
def test_a_card_is_shown_by_who_plays_or_discards_and_by_no_hint(env, seed):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 5)
    for _ in range(8):
        actions = random_actions(env, rng, state)
        acted = np.take_along_axis(actions[0], state.turn[:, None], axis=1)[:, 0]
        state, _, seen = advance(env, state, actions)
        shown = parts(env, env.observe(seen)[0])["shown"][..., :-1].sum(axis=-1)
        wanted = acted < 2 * env.numbers.hand
        assert_array_equal(shown, np.broadcast_to(wanted[:, None], shown.shape))


@settings(max_examples=15)
@given(tables(), SEEDS)
def test_of_a_card_that_is_lost_for_good_all_is_shown_as_gone(env, seed):
    """The share of its copies, 1 where none is left."""
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 5)
    copies = np.array(env.numbers.copies)
    gone = rng.integers(0, copies + 1, state.gone.shape)
    shown = parts(env, env.observe(state._replace(gone=gone))[0])["gone"]
    assert_allclose(
        shown * np.tile(copies, env.numbers.colours), gone.reshape(5, 1, -1) + 0 * shown
    )
    assert_array_equal(shown == 1.0, (gone == copies).reshape(5, 1, -1) & (shown >= 0.0))


@settings(max_examples=40)
@given(tables(), SEEDS)
def test_nobody_sees_the_own_hand_or_the_deck(env, seed):
    """Other cards in the own hand and another deck: the same observation; others see it."""
    rng = np.random.default_rng(seed)
    for state, *_ in played(env, seed, most=8):
        for i in range(env.numbers.players):
            hand, deck = state.hand.copy(), state.deck.copy()
            own = hand[:, i]
            strange = rng.integers(0, max(env.numbers.cards) + 1, own.shape)
            hand[:, i] = np.where(own >= 0, strange, own)
            for b, drawn in enumerate(state.drawn):
                rng.shuffle(deck[b, drawn:])
            other = state._replace(hand=hand, deck=deck)
            (old,), (new,) = env.observe(state), env.observe(other)
            assert_array_equal(old[:, i], new[:, i])
            changed = (hand != state.hand).any(axis=(1, 2))
            rest = np.delete(np.arange(env.numbers.players), i)
            assert (old[:, rest] != new[:, rest]).any(axis=2)[changed].all()
            whole = [env.global_state(s) for s in (state, other)]
            assert ((whole[0] != whole[1]).any(axis=1) == changed).all()  # not the deck


@settings(max_examples=40)
@given(tables(), SEEDS)
def test_players_who_move_round_the_table_see_and_do_the_same(env, seed):
    n = env.numbers.players
    for before, action, after, step in played(env, seed, most=15):
        for first in range(n):
            order = (first + np.arange(n)) % n
            moved, there = (env.permuted(s, (order,)) for s in (before, after))
            assert_array_equal(env.observe(moved)[0], env.observe(before)[0][:, order])
            assert_array_equal(env.mask(moved)[0], env.mask(before)[0][:, order])
            got, brought = env.step(moved, (np.ascontiguousarray(action[:, order]),))
            for one, other in zip(got, there, strict=True):
                assert_array_equal(one, other)
            assert_array_equal(brought.reward[0], step.reward[0][:, order])


def recoloured(env, state, order):
    """What was colour order[c] is colour c now."""
    ranks, rank_of = env.numbers.ranks, np.argsort(order)

    def cards(a):
        return np.where(a >= 0, rank_of[a // ranks] * ranks + a % ranks, a)

    last = state.last.copy()
    last[:, 0], last[:, 1] = doing(env, last[:, 0], order), cards(last[:, 1])
    named = {"board": state.board[:, order], "gone": state.gone[:, order]}
    named |= {"colours": state.colours[..., order], "last": last}
    named |= {"deck": cards(state.deck), "hand": cards(state.hand)}
    return state._replace(**{k: np.ascontiguousarray(v) for k, v in named.items()})


def doing(env, action, order):
    """The same actions under the new names of colours."""
    rules = env.numbers
    what = (action - 2 * rules.hand) % (rules.colours + rules.ranks)
    hints = (action >= 2 * rules.hand) & (action < env.wait) & (what < rules.colours)
    new = np.argsort(order)[np.where(hints, what, 0)]
    return np.where(hints, action - what + new, action)


def recoloured_view(env, seen, order):
    """An observation under the new names of colours."""
    rules, cut = env.numbers, parts(env, seen)
    kinds, ranks = rules.colours, rules.ranks
    lead = seen.shape[:-1]
    cards = (*lead, -1, kinds, ranks)
    for name in ("hands", "board", "gone"):
        cut[name] = cut[name].reshape(cards)[..., order, :].reshape(*lead, -1)
    told = cut["possible"].reshape(*lead, -1, kinds + ranks)
    front = told[..., :kinds][..., order]
    cut["possible"] = np.concatenate([front, told[..., kinds:]], axis=-1).reshape(*lead, -1)
    new = doing(env, np.arange(env.wait), order)
    moved = np.empty_like(cut["action"])
    moved[..., new] = cut["action"]
    card = cut["shown"][..., :-1].reshape(cards)[..., order, :].reshape(*lead, -1)
    cut |= {"action": moved, "shown": np.concatenate([card, cut["shown"][..., -1:]], axis=-1)}
    return np.concatenate(list(cut.values()), axis=-1)


@settings(max_examples=40)
@given(tables(), SEEDS)
def test_other_names_of_colours_change_names_only(env, seed):
    order = np.random.default_rng(seed).permutation(env.numbers.colours)
    for before, action, after, step in played(env, seed, most=15):
        there = recoloured(env, before, order)
        seen = env.observe(before)[0]
        assert_array_equal(env.observe(there)[0], recoloured_view(env, seen, order))
        names = doing(env, np.arange(env.wait + 1), order)
        assert_array_equal(env.mask(there)[0][..., names], env.mask(before)[0])
        got, brought = env.step(there, (doing(env, action, order),))
        for one, other in zip(got, recoloured(env, after, order), strict=True):
            assert_array_equal(one, other)
        assert_array_equal(brought.reward[0], step.reward[0])


@settings(max_examples=30)
@given(tables(), SEEDS)
def test_nobody_scores_more_than_there_is_to_lay(env, seed):
    for before, _, after, step in played(env, seed):
        earned = np.where(after.lives > 0, step.reward[0][:, 0], 0.0)
        assert (earned + env.ceiling(after) <= env.ceiling(before)).all()


# -- chance -----------------------------------------------------------------------------


def test_all_orders_of_the_deck_are_as_likely():
    """χ² over the 180 orders of tiny's six cards that differ."""
    env = Hanabi(size="tiny")
    state = env.reset(np.random.default_rng(0), 18_000)
    _, counts = np.unique(state.deck, axis=0, return_counts=True)
    assert len(counts) == 180
    assert stats.chi2.sf(((counts - 100) ** 2 / 100).sum(), 179) > 1e-3


@given(st.integers(1, 3), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_deals_are_the_distinct_orders(colours, copies):
    rules = Rules(colours, len(copies), tuple(copies), 1, 2, 1, 1)
    found, cards = deals(rules), rules.cards
    count = factorial(len(cards)) // prod(factorial(cards.count(c)) for c in set(cards))
    if count > 50_000:
        assert found is None
        return
    assert len(np.unique(found, axis=0)) == len(found) == count
    assert_array_equal(np.sort(found, axis=1), np.tile(cards, (count, 1)))


# -- the optimum ------------------------------------------------------------------------


def listed(env, state, weights):
    """The best a team can do from here, by trying all rules, on the environment's own steps.

    ``state`` are copies that look alike to everybody, with their probabilities.
    """
    if state.ended.all():
        return 0.0
    n = len(state.t)
    seen, (mask,) = env.observe(state)[0][acting(state)], env.mask(state)
    _, group = np.unique(seen, axis=0, return_inverse=True)
    group = group.ravel()
    first = [int(np.flatnonzero(group == g)[0]) for g in range(group.max() + 1)]
    legal = [np.flatnonzero(mask[f, state.turn[f]]) for f in first]
    best = -np.inf
    for rule in product(*legal):
        action = np.full((n, 2), env.wait)
        action[acting(state)] = np.array(rule)[group]
        after, step = env.step(state, (action,))
        public = env.observe(after)[0][:, 0, env.layout["hands"] :]
        _, label = np.unique(public, axis=0, return_inverse=True)
        value = float(weights @ step.reward[0][:, 0])
        for k in range(label.max() + 1):
            alike = np.flatnonzero(label.ravel() == k)
            value += listed(env, take(after, alike), weights[alike])
        best = max(best, value)
    return best


@pytest.mark.parametrize("forfeit", [True, False])
@pytest.mark.parametrize(
    ("colours", "copies", "tokens", "lives"),
    [
        (1, (1, 1), 1, 1),
        (1, (2, 1), 1, 1),
        (1, (1, 2), 1, 2),
        (1, (1, 1, 1), 0, 1),
        (2, (2,), 0, 2),
        (2, (1, 1), 0, 1),
        (2, (1,), 1, 1),
        pytest.param(2, (2,), 1, 1, marks=pytest.mark.slow),
        pytest.param(1, (1, 1, 1), 1, 1, marks=pytest.mark.slow),
    ],
)
def test_the_optimum_is_the_best_of_all_rules_tried_one_by_one(
    colours, copies, tokens, lives, forfeit
):
    env = Hanabi(
        colours=colours, top=len(copies), copies=copies, hand=1, tokens=tokens, lives=lives,
        forfeit=forfeit,
    )  # fmt: skip
    assert listed(env, *env.deals()) == pytest.approx(env.optimum(), abs=1e-12)


TINY = Hanabi(size="tiny")


def linear(env, seed, scale, memory):
    """Greedy policies of random weights, of what is seen and of a random recurrent memory."""
    rng = np.random.default_rng(seed)
    wide, acts = env.groups[0].obs_dim, env.wait + 1
    w, u = scale * rng.standard_normal((wide, acts)), rng.standard_normal((8, acts))
    into, keep = rng.standard_normal((wide, 8)), rng.standard_normal((8, 8))

    def act(obs, mask, past):
        h = past[0] if past else np.zeros((*obs[0].shape[:2], 8))
        h = np.tanh(obs[0] @ into + h @ keep)
        q = np.where(mask[0], obs[0] @ w + (h @ u if memory else 0.0), -np.inf)
        return Act((q.argmax(axis=-1),), (np.zeros(q.shape[:2]),), (h,))

    return act


@settings(max_examples=30)
@given(SEEDS, st.sampled_from([0.0, 0.3, 1.0]), st.booleans())
def test_no_policy_exceeds_the_optimum_and_certificates_are_what_play_returns(seed, scale, memory):
    policy = linear(TINY, seed, scale, memory)
    found = certify(TINY, policy, greedy=True)
    assert found.best == float(optimum(TINY.numbers))
    assert found.reached
    assert (found.values <= found.best + 1e-12).all()
    state, weights = TINY.deals()
    assert_allclose(
        found.values[0], weights @ play_from(TINY, seeing(TINY, policy), state).team, atol=1e-12
    )


def test_a_certificate_is_the_mean_over_many_games():
    policy = linear(TINY, 3, 1.0, True)
    found = certify(TINY, policy, greedy=True)
    returns = evaluate(TINY, policy, np.random.default_rng(0), 20_000).team
    error = returns.std() / np.sqrt(len(returns))
    assert found.values[0] == pytest.approx(returns.mean(), abs=4.5 * error + 1e-12)


def test_the_optimum_is_below_what_there_is_to_lay():
    state, weights = TINY.deals()
    assert TINY.optimum() < weights @ TINY.ceiling(state)


@settings(max_examples=20)
@given(
    st.integers(1, 2),
    st.lists(st.integers(1, 2), min_size=1, max_size=2),
    st.integers(0, 2),
    st.integers(1, 2),
)
def test_more_tokens_lives_and_no_forfeit_never_hurt(colours, copies, tokens, lives):
    rules = Rules(colours, len(copies), tuple(copies), 1, 2, tokens, lives)
    if not 2 <= len(rules.cards) <= 5:
        return
    value = optimum(rules)
    assert value <= optimum(rules, False)
    assert value <= optimum(rules._replace(lives=lives + 1))
    assert value <= colours * len(copies)


def test_what_is_too_large_is_said():
    assert best_return(Hanabi()) is None
    assert best_return(Hanabi(size="tiny", horizon=3)) is None
    with pytest.raises(InputError, match="too many orders of the deck"):
        certify(Hanabi(size="full"), at_random(Hanabi(size="full"), np.random.default_rng(0)), True)
    with pytest.raises(InputError, match="draws its actions"):
        certify(TINY, at_random(TINY, np.random.default_rng(0)), False)
    with pytest.raises(InputError, match="two players, one card each"):
        optimum(NAMED["small"])
    with pytest.raises(InputError, match="copies: need 3, one for each rank"):
        Hanabi(copies=(1, 1))
    with pytest.raises(InputError, match="hand: need cards for 2 hands of 4"):
        Hanabi(size="tiny", hand=4)


# -- the original -----------------------------------------------------------------------


@pytest.mark.parametrize(("size", "players"), [("very-small", 2), ("small", 3), ("full", 2)])
def test_it_is_the_hanabi_learning_environment(size, players):
    """Games of OpenSpiel's, which holds the original, with the same deals: moves and returns."""
    spiel = pytest.importorskip("pyspiel")
    env = Hanabi(size=size, players=players)
    rules, rng = env.numbers, np.random.default_rng(0)
    numbers = {
        "players": players, "colors": rules.colours, "ranks": rules.ranks,
        "hand_size": rules.hand, "max_information_tokens": rules.tokens,
        "max_life_tokens": rules.lives,
    }  # fmt: skip
    game = spiel.load_game("hanabi", numbers)
    for _ in range(10):
        state, theirs, total = env.reset(rng, 1), game.new_initial_state(), 0.0
        deck = iter(state.deck[0].tolist())
        while True:
            while theirs.is_chance_node():
                card = divmod(next(deck), rules.ranks)
                says = f"(Deal {'RYGWB'[card[0]]}{card[1] + 1})"
                theirs.apply_action(named(theirs)[says])
            assert theirs.is_terminal() == state.ended[0]
            if state.ended[0]:
                break
            who = int(state.turn[0])
            legal = [move(rules, a) for a in np.flatnonzero(env.mask(state)[0][0, who])]
            assert who == theirs.current_player()
            assert sorted(legal) == sorted(named(theirs))
            well = rng.random() < 0.7
            action = env.heuristic(state) if well else random_actions(env, rng, state)
            theirs.apply_action(named(theirs)[move(rules, int(action[0][0, who]))])
            state, step = env.step(state, action)
            total += step.reward[0][0, 0]
            assert total == theirs.returns()[0]


def named(theirs):
    return {theirs.action_to_string(a): a for a in theirs.legal_actions()}


def move(rules, a):
    """An action in OpenSpiel's words."""
    if a < 2 * rules.hand:
        return f"({'Play' if a >= rules.hand else 'Discard'} {a % rules.hand})"
    further, what = divmod(a - 2 * rules.hand, rules.colours + rules.ranks)
    by = f"color {'RYGWB'[what]}" if what < rules.colours else f"rank {what - rules.colours + 1}"
    return f"(Reveal player +{further + 1} {by})"
