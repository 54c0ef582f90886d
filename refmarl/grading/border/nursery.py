"""Where a grader's children come from: copies of templates, or processes started one by one."""

from typing import Any

from .. import sandbox
from .helper import Helper
from .limits import Limits
from .pipes import Gone
from .process import Child, begin
from .zygote import FORKS, Template


class Nursery:
    """Makes children at one level of isolation. ``forks`` says whether templates are used."""

    def __init__(self, isolation: int, limits: Limits, forks: bool = FORKS) -> None:
        self.isolation, self.limits, self.forks = isolation, limits, forks
        self.uid = sandbox.own_uid() if isolation >= 2 else None
        self.helper = Helper(limits)
        self.templates: dict[tuple[str, ...], Template] = {}
        self.plans: dict[tuple[str, ...], dict[str, Any]] = {}

    def child(self, allowed: tuple[str, ...]) -> tuple[Child, dict[str, Any]]:
        """A new child, and the plan that it must put into force before a student's code runs."""
        limits = self.limits.for_packages(allowed)
        plan = self.plans.get(allowed)
        if plan is None:
            resources = limits.resources(self.isolation)
            plan = sandbox.plan(self.isolation, allowed, resources, self.uid)
            self.plans[allowed] = plan
        if not self.forks:
            return begin("child", allowed, limits), plan
        for last in (False, True):
            template = self.template(allowed)
            try:
                child = template.fork(limits, scratch=self.isolation == 0)
            except Gone:
                words = self.templates.pop(allowed).close()
                if last:
                    raise Gone(words[-1] if words else "a template ended") from None
            else:
                return child, plan | {"parent": template.pid}
        raise AssertionError

    def prepare(self, allowed: tuple[str, ...]) -> None:
        """Have the template of these packages start while something else is done."""
        if self.forks:
            self.template(allowed)

    def template(self, allowed: tuple[str, ...]) -> Template:
        """The template of these packages, started the first time it is asked for."""
        if allowed not in self.templates:
            self.templates[allowed] = Template(allowed, self.limits)
        return self.templates[allowed]

    def ended(self) -> None:
        """After each child: nothing of its user may be left."""
        if self.uid is not None:
            sandbox.sweep(self.uid)

    def close(self) -> None:
        """End the templates and all that is left of children."""
        self.helper.close()
        while self.templates:
            self.templates.popitem()[1].close()
