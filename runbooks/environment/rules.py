"""Refuses values that no environment can have, and combinations that contradict each other."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from runbooks.environment import (
    backup,
    content,
    database_roles,
    deploying,
    documentation,
    edge,
    managed,
    peers,
    providers,
    schedule,
    secret_store,
    store,
    watching,
)
from runbooks.environment import inbox as inboxes
from runbooks.environment.discover import SANDBOXES
from runbooks.environment.hosting_rules import platform_problems
from runbooks.environment.inbox import Inbox
from runbooks.environment.locate import Path as KeyPath
from runbooks.environment.model import Environment
from runbooks.environment.problem import Problem, dotted
from runbooks.environment.value import SecretRef, Value, VariableRef
from runbooks.systems.secrets.source import SourceDeclaration, SourceKind

WEB_SCHEMES = ("https", "http")
DATABASE_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
REDIS_SCHEMES = ("redis", "rediss", "unix")
PASSWORD_PARAMETERS = {"password", "sslpassword"}
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
USED_BY = {
    SourceKind.DOTENV: {"path"},
    SourceKind.ENVIRONMENT: {"prefix"},
    SourceKind.COMMAND: {"command", "format", "timeout_seconds"},
}


def problems(environment: Environment, known: Collection[str]) -> Iterator[Problem]:
    """Everything wrong with a file whose keys and types are right.

    Args:
        environment: With its defaults filled in.
        known: The names of all environments in the inventory.
    """
    yield from _sandbox(environment)
    yield from _values(environment)
    yield from _application(environment)
    yield from _certificates(environment)
    if environment.inbox is not None:
        yield from _inbox(environment.inbox)
    yield from content.problems(environment.content)
    for table in ("variables", "secrets", "vault"):
        if (declared := getattr(environment, table)) is not None:
            yield from _source((table,), declared)
    yield from secret_store.problems(environment.secret_store)
    yield from _numbers(environment)
    yield from platform_problems(environment.platform)
    yield from peers.problems(environment, known)
    yield from store.problems(environment.store)
    yield from backup.problems(environment.backup)
    yield from schedule.problems(environment.schedule)
    yield from deploying.problems(environment.deploy)
    release = environment.release
    yield from documentation.problems(environment.documentation, release.allowed_secrets, release.engine)
    yield from edge.problems(environment.dns, environment.domain, environment.frontend, environment.mail)
    yield from database_roles.problems(environment.database.roles)
    yield from edge.network_problems("database", environment.database.networks)
    yield from edge.network_problems("redis", environment.redis.networks)
    yield from managed.problems(environment.database.managed, environment.redis.managed)
    yield from providers.problems(environment.providers, environment.mail)
    yield from watching.problems(environment.watch, environment.load)


def _sandbox(environment: Environment) -> Iterator[Problem]:
    if environment.sandbox and environment.name not in SANDBOXES:
        yield Problem(
            ("sandbox",),
            f"only {' and '.join(SANDBOXES)} can be a sandbox",
            found=f"sandbox = true in '{environment.name}'",
            mend="remove 'sandbox'",
        )
    elif environment.sandbox and environment.protected:
        mend = "set protected = false; a sandbox is thrown away"
        yield Problem(("protected",), "a sandbox can't be protected", found="protected = true", mend=mend)
    elif environment.name in SANDBOXES and not environment.sandbox:
        yield Problem(
            ("sandbox",),
            f"'{environment.name}' must be a sandbox: commands use it when no environment is named",
            found="sandbox = false",
            mend="rename the folder, or set sandbox = true and protected = false",
        )


def _values(environment: Environment) -> Iterator[Problem]:
    yield from _url(("application", "url"), environment.application.url, WEB_SCHEMES)
    if environment.domain.plain_url is not None:
        yield from _url(("domain", "plain_url"), environment.domain.plain_url, ("http",))
    if environment.application.provider_witness is not None:
        yield from _url(("application", "provider_witness"), environment.application.provider_witness, WEB_SCHEMES)
    yield from _url(("database", "url"), environment.database.url, DATABASE_SCHEMES)
    yield from _url(("redis", "url"), environment.redis.url, REDIS_SCHEMES)
    if environment.database.scratch_url is not None:
        yield from _url(("database", "scratch_url"), environment.database.scratch_url, DATABASE_SCHEMES)
    repository = environment.release.repository
    if repository is not None and (not isinstance(repository, str) or "://" in repository):
        yield from _url(("release", "repository"), repository, WEB_SCHEMES)
    for name in ("openai", "anthropic", "google"):
        yield from _url(("providers", name, "url"), getattr(environment.providers, name).url, WEB_SCHEMES)
    if environment.mail.url is not None:
        yield from _url(("mail", "url"), environment.mail.url, WEB_SCHEMES)
    yield from _words(environment)
    key = environment.fingerprints.key
    if isinstance(key, str):
        yield _only_named(("fingerprints", "key"), "a text")
    else:
        yield from _reference(("fingerprints", "key"), key)
    if (variable := environment.release.commit_variable) is not None and not VARIABLE_NAME.fullmatch(variable):
        yield Problem(("release", "commit_variable"), "'release.commit_variable' must be a variable's name")


def _words(environment: Environment) -> Iterator[Problem]:
    """Texts that may stand in the file, or be named there."""
    plan, policy = environment.platform.worker_plan, environment.support.pagerduty.escalation_policy
    for path, word in ((("platform", "worker_plan"), plan), (("support", "pagerduty", "escalation_policy"), policy)):
        if isinstance(word, SecretRef | VariableRef):
            yield from _reference(path, word)


def _reference(path: KeyPath, value: SecretRef | VariableRef) -> Iterator[Problem]:
    name = value.secret if isinstance(value, SecretRef) else value.variable
    if not VARIABLE_NAME.fullmatch(name):
        yield Problem(
            path,
            f"'{dotted(path)}' must name a secret or variable with letters, digits and '_'",
            mend='write for example { secret = "DATABASE_URL" }',
        )


def _url(path: KeyPath, value: Value, schemes: tuple[str, ...]) -> Iterator[Problem]:
    """Judge a URL that stands in the file. What was found is told in words, as it may hold a password."""
    if not isinstance(value, str):
        yield from _reference(path, value)
        return
    wanted = f"'{dotted(path)}' must be a URL that begins with " + " or ".join(f"{name}://" for name in schemes)
    try:
        parts = urlsplit(value)
        has_password = parts.password is not None or bool(PASSWORD_PARAMETERS & parse_qs(parts.query).keys())
        _ = parts.port
    except ValueError:
        yield Problem(path, wanted, found="a text that is not a URL", mend="check its host and port")
        return
    is_web = schemes == WEB_SCHEMES
    if has_password or (is_web and parts.username is not None):
        yield _only_named(path, "a URL with a password in it")
    elif parts.scheme not in schemes:
        yield Problem(path, wanted, found="another beginning", mend=f"write {schemes[0]}://HOST")
    elif any(character.isspace() for character in value):
        yield Problem(path, wanted, found="a blank in it", mend="remove the blank")
    elif is_web and not parts.hostname:
        yield Problem(path, wanted, found="no host in it", mend=f"write {schemes[0]}://HOST")
    elif is_web and (parts.query or parts.fragment):
        yield Problem(path, wanted, found="a query or fragment", mend="remove what follows '?' or '#'")


def _only_named(path: KeyPath, found: str) -> Problem:
    example = "FINGERPRINT_KEY" if path[0] == "fingerprints" else dotted(path).replace(".", "_").upper()
    return Problem(
        path,
        f"'{dotted(path)}' holds a secret; secrets are only named in the inventory",
        found=found,
        mend=f'move it to the [secrets] source and write {{ secret = "{example}" }} here; if the file was '
        "committed or shared, change the password too",
    )


def _application(environment: Environment) -> Iterator[Problem]:
    domains = {
        ("application", "test_email_domain"): environment.application.test_email_domain,
        ("mail", "domain"): environment.mail.domain,
    }
    for path, domain in domains.items():
        if domain is not None and not DOMAIN.fullmatch(domain):
            yield Problem(
                path,
                f"'{dotted(path)}' must be a domain, in small letters",
                found=repr(domain[:60]),
                mend="write for example checks.example.org, without '@'",
            )


def _certificates(environment: Environment) -> Iterator[Problem]:
    url = environment.application.url
    if environment.application.ca_file and isinstance(url, str) and url.startswith("http:"):
        yield Problem(
            ("application", "ca_file"),
            "'application.ca_file' has no use with an http URL",
            mend="remove it, or use https",
        )
    if environment.sandbox:
        return  # made when the sandbox first starts
    files = {
        "application": environment.application.ca_file,
        "database": environment.database.ca_file,
        "store": environment.store.ca_file,
        "secret_store": environment.secret_store.ca_file,
        "providers": environment.providers.ca_file,
        "mail": environment.mail.ca_file,
    }
    if environment.inbox is not None:
        files["inbox"] = environment.inbox.ca_file
    for table, file in files.items():
        if file is not None and not os.path.isfile(file):
            yield _no_file((table, "ca_file"), file)


def _no_file(path: KeyPath, file: Path) -> Problem:
    what = f"'{dotted(path)}' names a file that is not there"
    return Problem(path, what, found=str(file), mend="put the PEM file there, or correct the path")


def _inbox(inbox: Inbox) -> Iterator[Problem]:
    yield from inboxes.problems(inbox)
    if inbox.url is not None:
        yield from _url(("inbox", "url"), inbox.url, WEB_SCHEMES)
    if isinstance(inbox.password, str):
        yield _only_named(("inbox", "password"), "a text")
    for key, value in (("user", inbox.user), ("password", inbox.password)):
        if isinstance(value, SecretRef | VariableRef):
            yield from _reference(("inbox", key), value)


def _source(table: KeyPath, declared: SourceDeclaration) -> Iterator[Problem]:
    kind = declared.source
    given = {key for keys in USED_BY.values() for key in keys if getattr(declared, key) is not None}
    for key in sorted(given - USED_BY[kind]):
        owner = next(other for other, keys in USED_BY.items() if key in keys)
        yield Problem(
            (*table, key),
            f"'{dotted((*table, key))}' has no use with source = \"{kind}\"",
            mend=f'remove it, or set source = "{owner}"',
        )
    needed = {SourceKind.DOTENV: "path", SourceKind.COMMAND: "command"}.get(kind)
    if needed and needed not in given:
        key_path = dotted((*table, needed))
        mend = f"add '{needed}' to [{dotted(table)}]"
        yield Problem((*table, needed), f"missing key '{key_path}' for source = \"{kind}\"", mend=mend)
    if declared.command == ():
        yield Problem((*table, "command"), f"'{dotted((*table, 'command'))}' is empty")
    seconds = declared.timeout_seconds
    if seconds is not None:
        yield from _positive((*table, "timeout_seconds"), seconds)


def _numbers(environment: Environment) -> Iterator[Problem]:
    platform, checks = environment.platform, environment.checks
    at_least_one = {
        ("application", "health_latency_budget_ms"): environment.application.health_latency_budget_ms,
        ("database", "connect_timeout_seconds"): environment.database.connect_timeout_seconds,
        ("platform", "replicas"): platform.replicas,
        ("checks", "concurrency_per_target"): checks.concurrency_per_target,
        ("checks", "attempts"): checks.attempts,
    }
    for path, number in at_least_one.items():
        if number < 1:
            yield Problem(path, f"'{dotted(path)}' must be at least 1", found=f"the number {number}")
    if platform.slots not in (1, 2):
        yield Problem(
            ("platform", "slots"),
            "'platform.slots' must be 1 or 2",
            found=f"the number {platform.slots}",
            mend="2 if the old and the new release both run during a switch, otherwise 1",
        )
    yield from _positive(("checks", "timeout_seconds"), checks.timeout_seconds)


def _positive(path: KeyPath, seconds: float) -> Iterator[Problem]:
    if not (math.isfinite(seconds) and seconds > 0):
        what = f"'{dotted(path)}' must be a number of seconds above 0"
        yield Problem(path, what, found=f"the number {seconds:g}")
