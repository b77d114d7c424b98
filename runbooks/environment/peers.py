"""Other environments of the inventory that an environment names: to be compared with, or to be tried in first."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runbooks.environment.discover import EXAMPLE
from runbooks.environment.locate import Path as KeyPath
from runbooks.environment.model import Environment
from runbooks.environment.problem import Problem, did_you_mean, dotted


def problems(environment: Environment, known: Collection[str]) -> Iterator[Problem]:
    """Names of none, or of the environment itself; ``known`` are all of the inventory."""
    others = set(known) - {environment.name, EXAMPLE}
    for peer in environment.fingerprints.peers or ():
        mend = "name the environments that its secrets must differ from"
        yield from _problem(("fingerprints", "peers"), peer, environment.name, others, mend)
    if environment.deploy.staging is not None:
        mend = "name the environment in which releases are tried first"
        yield from _problem(("deploy", "staging"), environment.deploy.staging, environment.name, others, mend)


def _problem(path: KeyPath, named: str, itself: str, others: Collection[str], mend: str) -> Iterator[Problem]:
    if named == itself:
        yield Problem(path, f"'{dotted(path)}' names the environment itself", found=f"'{named}'", mend=mend)
    elif named not in others:
        what = f"'{dotted(path)}' names an environment that does not exist"
        there = did_you_mean(named, others) or f"there are: {', '.join(sorted(others)) or 'none'}"
        yield Problem(path, what, found=f"'{named[:60]}'", mend=there)
