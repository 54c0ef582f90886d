"""Named studies of every section, the report on them, and published numbers to reproduce.

``STUDIES`` maps a name such as ``s1.correlated`` to its :class:`~refmarl.studies.study.Study`.
"""

from . import s1_games, s2_cooperative, s3_policy_gradient
from .study import Study

STUDIES: dict[str, Study] = {
    study.name: study
    for section in (s1_games, s2_cooperative, s3_policy_gradient)
    for study in section.STUDIES
}

__all__ = ["STUDIES", "Study", "find"]


def find(name: str) -> Study:
    """The study of this name, with or without its section (``correlated``).

    Raises
    ------
    KeyError
        If there is none; its argument names the nearest.
    """
    if name in STUDIES:
        return STUDIES[name]
    short = {key.partition(".")[2]: study for key, study in STUDIES.items()}
    if name in short:
        return short[name]
    from difflib import get_close_matches

    near = get_close_matches(name, [*STUDIES, *short], n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(STUDIES)}"
    raise KeyError(f"no study {name!r}{hint}")
