"""Releases whose documents say what is not so, or are not there."""

from __future__ import annotations

from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import built, placed


def _written(name: str, breaks: str, shows: str, *also: str) -> Fault:
    """A release of its own name whose documents differ; what runs is not touched."""
    return Fault(name=name, breaks=breaks, shows=shows, also=also, means=placed(name))


FAULTS = (
    _written("readme-names-missing-file", "documentation.readme-current", "file docs/ARCHITECTURE.md"),
    _written("readme-names-missing-route", "documentation.readme-current", "route GET /ready"),
    _written("readme-names-missing-command", "documentation.readme-current", "module app.load_corpus"),
    built("api-docs-off", "documentation.api-docs", "GET /docs is HTTP 404"),
    _written("variable-undocumented", "documentation.variables", "undocumented: MAINTENANCE_MESSAGE"),
    _written("variable-documented-in-vain", "documentation.variables", "read by nothing: LOG_LEVEL"),
    _written("guide-with-a-dead-link", "documentation.deployment-guide", "VARIABLES.md leads to no file"),
    _written(
        "privacy-policy-missing",
        "compliance.privacy-policy",
        "there is no docs/PRIVACY.md",
        "documentation.readme-current",
    ),
    _written("privacy-policy-outdated", "compliance.privacy-policy", "docs/PRIVACY.md is of 2021-03-01"),
    _written("terms-missing", "compliance.terms", "there is no docs/TERMS.md", "documentation.readme-current"),
    _written("licence-missing", "compliance.licence", "there is no LICENSE", "documentation.readme-current"),
    _written("licence-of-our-own", "compliance.licence", "LICENSE.md is no licence of the list"),
)
