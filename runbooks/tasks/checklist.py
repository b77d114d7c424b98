"""``checklist.*``: the document's items, and what people vouch for."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, PLAN, change, collection, finish, start

ITEM = "the item's id or number; checklist.coverage lists them"


@task(
    name="coverage",
    help={
        "readme": "write the table in README.md instead of printing the list",
        "env": f"whose words are listed; {ENV}",
    },
)
def coverage(c: Context, readme: bool = False, env: str | None = None) -> None:
    """The document's 131 items, which have a check, and what people vouch for."""
    from runbooks import coverage

    if readme:
        change(c, coverage.write_readme)
    else:
        finish(lambda: coverage.show(env))


@task(
    name="attest",
    help={
        "item": ITEM,
        "statement": "what is so",
        "evidence": "where that can be seen: a URL, or a file beside attestations.toml",
        "expires": "the last day on which it counts, at most a year from now, e.g. 2026-05-31",
        "by": "whose word it is (default: yours)",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
    },
    positional=["item"],
)
def attest(
    c: Context,
    item: str,
    statement: str = "",
    evidence: str = "",
    expires: str = "",
    by: str = "",
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
) -> None:
    """Give your word for what no system can answer."""
    parameters = {"item": item, "statement": statement, "evidence": evidence, "expires": expires, "by": by}
    start(c, "checklist.attest", environment=env, plan=plan, confirm=confirm, parameters=parameters)


@task(
    name="waive",
    help={
        "item": ITEM,
        "reason": "why it may stay failed for a while",
        "owner": "who answers for it",
        "until": "the last day on which it counts, at most 90 days from now, e.g. 2026-05-31",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
    },
    positional=["item"],
)
def waive(
    c: Context,
    item: str,
    reason: str = "",
    owner: str = "",
    until: str = "",
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
) -> None:
    """Accept a failed item until a day; every log shows it."""
    parameters = {"item": item, "reason": reason, "owner": owner, "until": until}
    start(c, "checklist.waive", environment=env, plan=plan, confirm=confirm, parameters=parameters)


TASKS = collection("checklist", coverage, attest, waive)
