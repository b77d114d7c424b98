"""What an environment declares of the providers of language models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from runbooks.environment.mail import Mail
from runbooks.environment.problem import Problem
from runbooks.environment.value import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAI:
    """OpenAI.

    Attributes:
        url: Its API; another one for a proxy in front of it.
        project: The project that the application's key must belong to, ``proj_…``.
        admin_key: An administrator's key, ``sk-admin-…``: limits and costs can be read with it, and keys of ``project``
            made and revoked when ``OPENAI_API_KEY`` is rotated.
        requests_per_minute: The most that it may allow us for any model in use.
        spend_limit_usd: The most that its monthly spend limit may be, in US dollars.
        monthly_budget_usd: What a month may cost, in US dollars.
    """

    url: Value = "https://api.openai.com/v1"
    project: str | None = None
    admin_key: Value | None = None
    requests_per_minute: int | None = None
    spend_limit_usd: float | None = None
    monthly_budget_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anthropic:
    """Anthropic. No API of it tells a spend limit.

    Attributes:
        url: Its API; another one for a proxy in front of it.
        workspace: The workspace that the application's key must belong to, ``wrkspc_…``.
        admin_key: An administrator's key, ``sk-ant-admin01-…``: keys, limits and costs can be read with it, and a
            key switched off when ``ANTHROPIC_API_KEY`` is rotated.
        requests_per_minute: The most that it may allow us for any model in use.
        monthly_budget_usd: What a month may cost, in US dollars.
    """

    url: Value = "https://api.anthropic.com/v1"
    workspace: str | None = None
    admin_key: Value | None = None
    requests_per_minute: int | None = None
    monthly_budget_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Google:
    """Google's Gemini API. It tells neither a key's project nor limits nor costs.

    Attributes:
        url: The API; another one for a proxy in front of it.
    """

    url: Value = "https://generativelanguage.googleapis.com/v1beta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """The providers of language models.

    Attributes:
        openai: OpenAI.
        anthropic: Anthropic.
        google: Google.
        ca_file: PEM file of the authority that signed the certificates of all of them, where a proxy stands between.
    """

    openai: OpenAI = field(default_factory=OpenAI)
    anthropic: Anthropic = field(default_factory=Anthropic)
    google: Google = field(default_factory=Google)
    ca_file: Path | None = None


def problems(providers: Providers, mail: Mail) -> Iterator[Problem]:
    """Secrets that stand in the file, and numbers that no limit can have."""
    tables: dict[tuple[str, ...], object] = {("mail",): mail}
    tables |= {("providers", each.name): getattr(providers, each.name) for each in fields(providers)}
    for path, table in tables.items():
        if isinstance(getattr(table, "admin_key", None), str):
            what = f"'{'.'.join(path)}.admin_key' is a secret; secrets are only named in the inventory"
            mend = 'move it to the [secrets] source and write { secret = "NAME" } here'
            yield Problem((*path, "admin_key"), what, mend=mend)
        for name in ("requests_per_minute", "spend_limit_usd", "monthly_budget_usd"):
            number = getattr(table, name, None)
            if number is not None and not (math.isfinite(number) and number > 0):
                what = f"'{'.'.join(path)}.{name}' must be above 0"
                yield Problem((*path, name), what, found=f"the number {number:g}")
