"""The application's keys at the providers of language models: asked at endpoints that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.gate import gate
from runbooks.checks.peers import compared
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, skipped, unknown, warned
from runbooks.engine.errors import Reason
from runbooks.engine.secret import Secret
from runbooks.environment.vendors import Vendors
from runbooks.systems.providers.api import KeyRefused, NotAllowed, NotServed
from runbooks.systems.providers.models import ModelProvider, Models

ENDS_SOON = timedelta(days=30)
STANDARD_KEY = "AIza"
"""How Google's keys of the old kind begin; the new ones, bound to a service account, begin with ``AQ.``."""


@dataclass(frozen=True)
class Vendor:
    """A provider as the application's settings know it.

    Attributes:
        name: Its name, for people.
        variable: Holds the application's key.
        client: Makes the client that asks with it.
        models: The variables that name the models in use, each with the application's default and its switch.
    """

    name: str
    variable: str
    client: Callable[[Vendors, Secret], ModelProvider]
    models: tuple[tuple[str, str, str], ...]


OPENAI = Vendor(
    "openai",
    "OPENAI_API_KEY",
    Vendors.openai,
    (
        ("LESSONS_OPENAI_DEFAULT_MODEL", "gpt-5-nano-2025-08-07", "LESSONS_ENABLED"),
        ("COACH_DEFAULT_MODEL", "gpt-5-mini-2025-08-07", "COACH_ENABLED"),
        ("TTS_DEFAULT_MODEL", "tts-1", "TTS_ENABLED"),
    ),
)
ANTHROPIC = Vendor(
    "anthropic",
    "ANTHROPIC_API_KEY",
    Vendors.anthropic,
    (("LESSONS_ANTHROPIC_DEFAULT_MODEL", "claude-sonnet-4-5-20250929", "LESSONS_ENABLED"),),
)
GOOGLE = Vendor(
    "google",
    "GOOGLE_API_KEY",
    Vendors.google,
    (("LESSONS_GOOGLE_DEFAULT_MODEL", "gemini-2.5-flash", "LESSONS_ENABLED"),),
)
VENDORS = (OPENAI, ANTHROPIC, GOOGLE)

production_keys = gate(
    "api-keys.production-keys",
    over=("api-keys.openai", "api-keys.anthropic", "api-keys.google"),
    numbers=range(12, 15),
    severity=Severity.CRITICAL,
    phase=Phase.BEFORE,
)


@check(
    "api-keys.openai",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="openai",
    seconds=20,
)
def openai(subject: Subject) -> Finding:
    return _judged(subject, OPENAI)


@check(
    "api-keys.anthropic",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="anthropic",
    seconds=20,
)
def anthropic(subject: Subject) -> Finding:
    key, workspace = subject.variables.get(ANTHROPIC.variable), subject.environment.providers.anthropic.workspace
    finding = _judged(subject, ANTHROPIC)
    if not (key and workspace and finding.verdict.good):
        return finding
    admin = subject.site.vendors.anthropic_admin()
    expected = f"{ANTHROPIC.variable} belongs to the workspace {workspace}"
    if admin is None:
        mend = "declare providers.anthropic.admin_key, or remove providers.anthropic.workspace"
        return unknown(expected, "only an administrator's key can tell a key's workspace", mend, Reason.FAILED)
    found = admin.workspaces_of(key)
    if workspace not in found:
        seen = f"it belongs to {', '.join(found)}" if found else "no active key of the organization looks like it"
        return failed(expected, f"{ANTHROPIC.variable}: {seen}", f"make a key in {workspace}, and deploy with that")
    return finding


@check(
    "api-keys.google",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="google",
    seconds=20,
)
def google(subject: Subject) -> Finding:
    finding = _judged(subject, GOOGLE)
    key = subject.variables.get(GOOGLE.variable)
    if key and finding.verdict.good and key.reveal().startswith(STANDARD_KEY):
        found = f"{GOOGLE.variable} is a standard key: Google announced to refuse those from September 2026"
        return warned(finding.expected, found, "make an authentication key in AI Studio, and deploy with that")
    return finding


def models_in_use(subject: Subject, vendor: Vendor) -> list[str]:
    """The models that the application would ask this provider for."""
    return [
        subject.site.variable(variable) or default
        for variable, default, switch in vendor.models
        if subject.site.flag(switch, default=True)
    ]


def keyed(subject: Subject) -> list[Vendor]:
    """The providers that the application has a key for."""
    return [vendor for vendor in VENDORS if _key(subject, vendor)]


def _key(subject: Subject, vendor: Vendor) -> Secret | None:
    key = subject.variables.get(vendor.variable)
    return key if key and key.reveal() else None


def _judged(subject: Subject, vendor: Vendor) -> Finding:
    peers = subject.environment.fingerprints.peers or ()
    apart = f", differs from that of {', '.join(peers)}" if peers else ""
    expected = f"{vendor.variable} is accepted{apart}, and the models in use exist"
    key = _key(subject, vendor)
    if key is None:
        return skipped(expected, f"{vendor.variable} is not set: the application does not use {vendor.name}")
    client = vendor.client(subject.site.vendors, key)
    try:
        models: Models | None = client.models()
    except (KeyRefused, NotServed) as refused:
        return failed(expected, f"{vendor.variable}: {refused.what} ({refused.found})", refused.mend)
    except NotAllowed:
        models = None  # a restricted key is a good one
    same = compared(subject, vendor.variable, key).same
    if same:
        mend = "give each environment a key of its own, in a project of its own"
        return failed(expected, f"{vendor.variable} is the same in {', '.join(same)}", mend)
    if models is None:
        return passed(expected, f"accepted; a restricted key, which may not list models{apart}")
    return _models_judged(subject, vendor, (client, models), expected, apart)


def _models_judged(
    subject: Subject, vendor: Vendor, listed: tuple[ModelProvider, Models], expected: str, apart: str
) -> Finding:
    client, models = listed
    wanted = models_in_use(subject, vendor)
    missing = [name for name in wanted if name not in models.names and not client.has_model(name)]
    if missing:
        variables = ", ".join(variable for variable, _default, _switch in vendor.models)
        return failed(expected, f"{vendor.name} has no model {', '.join(missing)}", f"correct {variables}")
    ending = list(_ending(models, wanted))
    if ending:
        return warned(expected, f"models end soon: {', '.join(ending)}", "choose their successors")
    return passed(expected, f"accepted{apart}; {', '.join(wanted) or 'no model in use'}")


def _ending(models: Models, wanted: list[str]) -> Iterator[str]:
    for name in wanted:
        try:
            end = date.fromisoformat(models.endings.get(name, "")[:10])
        except ValueError:
            continue
        if end - datetime.now(UTC).date() <= ENDS_SOON:
            yield f"{name} on {end}"
