"""The studies of section 2, cooperative learning; so far published numbers only."""

from ..study import Study

STUDIES: tuple[Study, ...] = ()
