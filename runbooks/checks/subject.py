"""What a check is given: the site to ask, and the throw-away user of this run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.checks.journey import Journey
from runbooks.engine.secret import Secret
from runbooks.environment.model import Environment
from runbooks.environment.site import Site


@dataclass
class Subject:
    """The environment under examination."""

    site: Site
    journey: Journey

    @property
    def environment(self) -> Environment:
        return self.site.environment

    @property
    def variables(self) -> Mapping[str, Secret]:
        return self.site.variables
