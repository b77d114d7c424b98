"""What the sandbox's people wrote down: with dates around today, so that none of it expires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from runbooks.sandbox.files import private_folder, write_private
from runbooks.sandbox.layout import Layout

RENEWED_AFTER = timedelta(days=20)
"""Figures count for 35 days, so that a sandbox that is not started anew for a while must not outlive them."""

ATTESTED = {
    "scaling.horizontal-known": "a third replica was added and taken away by this page",
    "scaling.vertical-known": "the server was enlarged and made small again by this page",
    "support.alerts": "the test notification reached the telephone of whoever was on call",
    "cost.billing-alerts": "OpenAI, Anthropic, Google, Resend and the host send a mail at 80 percent of the budget",
    "api-keys.rate-limits": "Google's project allows 150 requests a minute for gemini-2.5-flash",
    "api-keys.usage-watched": "Google's project has cost 3 dollars this month",
    "cost.usage-limits": "Anthropic's workspace and Google's project stop at 100 dollars a month",
}
PROCEDURE = "procedures.md"


def write_people(layout: Layout, name: str) -> None:
    """Write the files of an environment's people where they are missing or old; what a person added stays till then."""
    folder = layout.people(name)
    private_folder(folder)
    today = datetime.now(UTC).date()
    for file, text in texts(today).items():
        path = folder / file
        written = _written(path.read_text()) if path.exists() else date.min
        if today - written > RENEWED_AFTER:
            write_private(path, text)


def texts(today: date) -> Mapping[str, str]:
    """Every file, as it is while nothing is broken."""
    head = f"# Written by the sandbox on {today}, and anew when that is {RENEWED_AFTER.days} days ago.\n"
    bodies: Mapping[str, Callable[[date], str]] = {
        "attestations.toml": _attestations,
        "waivers.toml": lambda _: "",
        "costs.toml": _costs,
        "oncall.toml": _on_call,
        "announcements.toml": lambda _: _ANNOUNCEMENTS,
        PROCEDURE: lambda _: "The sandbox's people have no procedures; this stands where they would be.\n",
    }
    return {file: f"{head}{body(today)}" for file, body in bodies.items()}


def _written(text: str) -> date:
    """The day in the first line; today where a person replaced it, so that their file stays."""
    try:
        return date.fromisoformat(text.partition("sandbox on ")[2][:10])
    except ValueError:
        return datetime.now(UTC).date()


def _attestations(today: date) -> str:
    return "".join(
        f'\n[[attestation]]\nitem = "{item}"\nstatement = "{statement}"\nby = "the sandbox"\non = {today}\n'
        f'expires = {today + timedelta(days=180)}\nevidence = "{PROCEDURE}"\n'
        for item, statement in ATTESTED.items()
    )


def _costs(today: date) -> str:
    figures = {"hosting": 20, "database": 15, "redis": 5, "ai": 55, "email": 20}
    bills = "".join(
        f'\n[{kind}]\nmonthly = {amount}\non = {today}\nsource = "the sandbox\'s imagination"\n'
        for kind, amount in figures.items()
    )
    levels = {"1 000 users": 115, "10 000 users": 640}
    estimates = "".join(
        f'\n[[estimate]]\nlevel = "{level}"\nmonthly = {amount}\non = {today}\n' for level, amount in levels.items()
    )
    return f'currency = "EUR"\n{bills}{estimates}\n[reserve]\namount = 40\n'


def _on_call(today: date) -> str:
    people = {"Ada": "+41 00 000 00 01", "Grace": "grace@praviel.test"}
    told = "".join(f'\n[[person]]\nname = "{name}"\ncontact = "{contact}"\n' for name, contact in people.items())
    for week in range(6):
        begins = today + timedelta(days=7 * (week - 1))
        ends = begins + timedelta(days=7)
        name = list(people)[week % len(people)]
        told += f'\n[[shift]]\nperson = "{name}"\nbegins = {begins}T00:00:00Z\nends = {ends}T00:00:00Z\n'
    return told


_ANNOUNCEMENTS = """
[[channel]]
name = "Discord, #status"
webhook = { secret = "DISCORD_WEBHOOK" }
"""
