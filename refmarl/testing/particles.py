"""Hypothesis strategies of the particle worlds, random actions, and copies whose agents touch."""

import numpy as np
from hypothesis import strategies as st

from ..check import Array
from ..env_api import Actions, Box, Discrete, Env
from ..envs.navigation import Navigation
from ..envs.particles import Particles, State
from ..envs.pursuit import Pursuit
from ..envs.reference import Reference
from ..envs.speaker_listener import SpeakerListener
from ..value_grad import Real

SEEDS = st.integers(0, 10**6)
SMALL = st.integers(1, 4)
MODES = {"continuous": st.booleans(), "velocity_first": st.booleans()}

NAVIGATIONS = st.builds(
    Navigation, team=SMALL, landmarks=SMALL, self_collision=st.booleans(), **MODES
)
PURSUITS = st.builds(Pursuit, chasers=SMALL, prey=SMALL, obstacles=st.integers(0, 3), **MODES)
LISTENERS = st.builds(SpeakerListener, listeners=SMALL, landmarks=SMALL, words=SMALL, **MODES)
REFERENCES = st.builds(Reference, team=SMALL, landmarks=SMALL, words=SMALL, **MODES)
WORLDS = st.one_of(NAVIGATIONS, PURSUITS, LISTENERS, REFERENCES)


def draw(env: Env, rng: np.random.Generator, copies: int, steps: int | None = None) -> Actions:
    """Uniform actions (B, N_g, …) of every group, or scripts of them (T, B, N_g, …)."""
    head = (copies,) if steps is None else (steps, copies)
    chosen: list[Real] = []
    for group in env.groups:
        lead, space = (*head, len(group.agents)), group.space
        if isinstance(space, Box):
            chosen.append(rng.uniform(space.low, space.high, (*lead, space.size)))
        elif isinstance(space, Discrete):
            chosen.append(rng.integers(0, space.n, lead))
        else:
            chosen.append(rng.integers(0, space.sizes, (*lead, len(space.sizes))))
    return tuple(chosen)


def crowded(env: Particles, rng: np.random.Generator, copies: int = 3) -> State:
    """Copies whose agents are in motion, and close enough to touch."""
    state: State = env.reset(rng, copies)
    x = state.x * [0.3, 0.3, 1, 1]
    x[..., 2:] = rng.uniform(-0.5, 0.5, (*x.shape[:2], 2))
    said = rng.random(state.said.shape)
    crowd: State = state._replace(x=x, landmark=state.landmark * 0.5, said=said)
    return crowd


def moved(env: Particles, state: State, actions: Actions) -> tuple[Array, Array]:
    """(x', rewards of all agents side by side) of a step."""
    after, step = env.step(state, actions)
    return after.x, np.concatenate(step.reward, axis=1)
