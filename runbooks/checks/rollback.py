"""The way back: whether users can be told of it."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.environment import around
from runbooks.environment.people import announcing
from runbooks.environment.people.announcements import Channel
from runbooks.systems.providers.api import KeyRefused, NotFound


@check("rollback.communication-plan", severity=Severity.MINOR, evidence=Evidence.PROBE, target="channels")
def communication_plan(subject: Subject) -> Finding:
    expected = "announcements.toml has a channel, each can be reached, and the texts can be written"
    file, shown = subject.written.announcements, subject.written.shown
    if file is None:
        return unknown(
            expected, f"there is no announcements.toml in {shown}", "see inventory/example/announcements.toml"
        )
    if not file.channel:
        return failed(expected, "announcements.toml has no [[channel]]", "add where users are told")
    wrong = [problem for channel in file.channel if (problem := _problem(subject, channel))]
    if wrong:
        return failed(expected, "; ".join(wrong), f"correct the channel in {shown}/announcements.toml, or its secret")
    wrong = announcing.problems(subject.written.folder)
    if wrong:
        return failed(expected, "; ".join(wrong), f"correct the text in {shown}/{announcing.THEIRS} or in templates/")
    names = ", ".join(channel.name for channel in file.channel)
    return passed(expected, f"{names}; {len(announcing.KINDS)} texts; nothing was posted")


def _problem(subject: Subject, channel: Channel) -> str:
    """Why nothing would reach users there, or nothing.

    Raises:
        SystemFault: that can't be told now.
    """
    if channel.webhook is not None:
        try:
            around.channel_webhook(subject.site, channel.webhook, channel.name)
        except NotFound as fault:
            return f"{channel.name}: the webhook is not there any more ({fault.found})"
        except KeyRefused as fault:
            return f"{channel.name}: the webhook's token is wrong ({fault.found})"
    if channel.page is not None:
        status = around.page_status(subject.site, channel.page, channel.name)
        if status >= 400:
            return f"{channel.name}: HTTP {status}"
    return ""
