"""What a check is given: the site to ask, the throw-away user of this run, and what people wrote down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from runbooks.checks.journey import Journey
from runbooks.engine.secret import Secret
from runbooks.environment.arrivals import Arrivals
from runbooks.environment.model import Environment
from runbooks.environment.people.written import Written
from runbooks.environment.site import Site


@dataclass
class Subject:
    """The environment under examination."""

    site: Site
    journey: Journey
    written: Written = field(default_factory=Written)

    @cached_property
    def arrivals(self) -> Arrivals:
        """What arrives outside the application: mail, and requests at a stand-in."""
        return Arrivals(self.site)

    def close(self) -> None:
        """Close the connections that were opened."""
        self.arrivals.close()
        self.site.close()

    @property
    def environment(self) -> Environment:
        return self.site.environment

    @property
    def variables(self) -> Mapping[str, Secret]:
        return self.site.variables
