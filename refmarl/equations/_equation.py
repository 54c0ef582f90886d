"""One row of the ledger."""

from dataclasses import dataclass

SECTIONS = (
    "games",
    "cooperative",
    "policy_gradient",
    "distributed",
    "communication",
    "meta_learning",
    "applications",
)


@dataclass(frozen=True, kw_only=True)
class Equation:
    """An equation of the course: its name everywhere, and what is claimed of it.

    ``tag`` is the course's number ("3.5": section 3), ``label`` the only id of the row,
    ``statement`` Markdown with TeX between dollar signs. ``exercise`` says that the row is also
    a graded exercise, ``beyond`` that the course's text does not have it, ``closed`` that
    everything a row needs is built: :mod:`refmarl.equations.ledger` holds it to that.
    """

    tag: str
    label: str
    title: str
    statement: str
    exercise: bool = False
    beyond: bool = False
    closed: bool = False
    source: str = ""
    laws: tuple[str, ...] = ()
    errata: str = ""

    @property
    def section(self) -> int:
        """1 … 7."""
        return int(self.tag.partition(".")[0])

    @property
    def folder(self) -> str:
        """The section's folder in exercises/, solutions/, docs/, tests/ and the specs."""
        return f"s{self.section}_{SECTIONS[self.section - 1]}"

    @property
    def slug(self) -> str:
        """Stem of the exercise's file: ``e05_gae`` for (3.5) ``gae``."""
        number = int(self.tag.partition(".")[2])
        return f"e{number:02d}_{self.label.replace('-', '_')}"
