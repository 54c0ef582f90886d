"""An environment around another one, of which it changes the rewards only."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import check
from ..env_api import Env, Group, Scene
from ..value_grad import Real


@dataclass(frozen=True, eq=False)
class Wrapped(Env):
    """All but ``step`` is that of the environment inside."""

    env: Env

    def __post_init__(self) -> None:
        check.instance(self.env, Env, "env")

    @property
    def horizon(self) -> int:  # type: ignore[override]
        """As inside."""
        return self.env.horizon

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """As inside."""
        return self.env.groups

    def restart(self, key: Real) -> Any:
        """As inside."""
        return self.env.restart(key)

    def observe(self, state: Any) -> tuple[Real, ...]:
        """As inside."""
        return self.env.observe(state)

    def mask(self, state: Any) -> tuple[Real | None, ...]:
        """As inside."""
        return self.env.mask(state)

    def alive(self, state: Any) -> tuple[Real | None, ...]:
        """As inside."""
        return self.env.alive(state)

    def global_state(self, state: Any) -> Real:
        """As inside."""
        return self.env.global_state(state)

    def scene(self, state: Any, copy: int = 0) -> Scene:
        """As inside."""
        return self.env.scene(state, copy)
