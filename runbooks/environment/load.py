"""Loads an environment: file, TOML, keys and types, defaults, rules."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.environment import discover, locate, rules, shape
from runbooks.environment.hosting import Hosts, Service, WorkerPlan
from runbooks.environment.managed import Managed
from runbooks.environment.model import FILE_NAME, Declaration, Environment, Plan, PlatformKind
from runbooks.environment.problem import EXAMPLE_HINT, as_error
from runbooks.environment.toml_file import TomlFile, bad_texts

MAY_BE_EMPTY = {("description",), ("store", "prefix"), ("variables", "prefix"), ("secrets", "prefix")}
RAILWAY_COMMIT = "RAILWAY_GIT_COMMIT_SHA"


def load(inventory: Path, name: str) -> Environment:
    """The environment of this name, checked.

    Args:
        inventory: The folder that holds one folder per environment. Its parent is the project's folder.
        name: One of `discover.names`.

    Raises:
        InputError: its file is missing, damaged or contradicts itself. Names the file, the line and the key.
    """
    inventory = inventory.absolute()
    known = discover.names(inventory)
    shown = f"{inventory.name}/{name}/{FILE_NAME}"
    file = TomlFile(inventory / name / FILE_NAME, shown, "an environment's file")
    text = _read(file, known)
    data = _parsed(file, text)
    places = locate.places(text)
    if problems := list(bad_texts(data, EXAMPLE_HINT, MAY_BE_EMPTY.__contains__)):
        raise as_error(problems, shown, places)
    declared = shape.declaration(data, places)
    if isinstance(declared, tuple):
        raise as_error(declared, shown, places)
    environment = _completed(declared, inventory, name, known)
    if problems := list(rules.problems(environment, known)):
        raise as_error(problems, shown, places)
    return environment


def _read(file: TomlFile, known: tuple[str, ...]) -> str:
    name = file.path.parent.name
    try:
        return file.text()
    except (FileNotFoundError, NotADirectoryError):
        if name not in known:
            raise discover.missing(name, known, file.shown) from None
        mend = f"cp inventory/{discover.EXAMPLE}/{FILE_NAME} {file.shown} and fill it in"
        found = f"environments: {', '.join(other for other in known if other != discover.EXAMPLE)}"
        what = f"the environment '{name}' has no {FILE_NAME}"
        raise InputError(what, where=file.shown, found=found, mend=mend) from None


def _parsed(file: TomlFile, text: str) -> dict[str, Any]:
    data = file.parsed(text)
    if not data:
        mend = f"cp inventory/{discover.EXAMPLE}/{FILE_NAME} {file.shown} and fill it in"
        raise InputError("an environment's file is empty", where=f"{file.shown}:1", found="no key", mend=mend)
    return data


def _completed(declared: Declaration, inventory: Path, name: str, known: tuple[str, ...]) -> Environment:
    """Fill in what depends on other keys, and make every path absolute."""
    folder, project = inventory / name, inventory.parent
    application, database, release = declared.application, declared.database, declared.release
    platform, fingerprints = declared.platform, declared.fingerprints
    is_railway = platform.kind is PlatformKind.RAILWAY
    commit_variable = release.commit_variable or (RAILWAY_COMMIT if is_railway else None)
    peers = fingerprints.peers
    if peers is None:
        peers = tuple(_default_peers(inventory, name, known, sandbox=declared.sandbox))
    tables = {field.name: getattr(declared, field.name) for field in dataclasses.fields(declared)}
    tables |= {
        "application": dataclasses.replace(application, ca_file=_under(folder, application.ca_file)),
        "database": dataclasses.replace(
            database, ca_file=_under(folder, database.ca_file), managed=_kept_up(project, database.managed)
        ),
        "redis": dataclasses.replace(declared.redis, managed=_kept_up(project, declared.redis.managed)),
        "release": dataclasses.replace(
            release,
            source=_under(project, release.source),
            python=_under(project, release.python),
            commit_variable=commit_variable,
        ),
        "platform": dataclasses.replace(
            platform,
            plan=platform.plan or (Plan.RAILWAY if is_railway else Plan.DEDICATED),
            worker_plan=platform.worker_plan or (None if is_railway else WorkerPlan.DEDICATED.value),
            service=_placed(project, platform.service),
            hosts=_reached(folder, project, platform.hosts),
        ),
        "inbox": declared.inbox and dataclasses.replace(declared.inbox, ca_file=_under(folder, declared.inbox.ca_file)),
        "store": dataclasses.replace(
            declared.store,
            folder=_under(project, declared.store.folder)
            or (None if declared.store.bucket else project / "var" / "store" / name),
            ca_file=_under(folder, declared.store.ca_file),
        ),
        "secret_store": dataclasses.replace(
            declared.secret_store,
            path=_under(folder, declared.secret_store.path),
            ca_file=_under(folder, declared.secret_store.ca_file),
        ),
        "backup": dataclasses.replace(
            declared.backup, work=_under(project, declared.backup.work) or project / "var" / "snapshots" / name
        ),
        "people": dataclasses.replace(declared.people, folder=_under(folder, declared.people.folder or Path())),
        "providers": dataclasses.replace(declared.providers, ca_file=_under(folder, declared.providers.ca_file)),
        "mail": dataclasses.replace(declared.mail, ca_file=_under(folder, declared.mail.ca_file)),
        "fingerprints": dataclasses.replace(fingerprints, peers=peers),
    }
    return Environment(**tables, name=name, folder=folder, project=project)


def _placed(project: Path, service: Service | None) -> Service | None:
    if service is None:
        return None
    configuration, builds = _under(project, service.configuration), _under(project, service.builds)
    return dataclasses.replace(service, configuration=configuration, builds=builds)


def _kept_up(project: Path, managed: Managed | None) -> Managed | None:
    if managed is None or managed.service is None:
        return managed
    configuration = _under(project, managed.service.configuration)
    return dataclasses.replace(managed, service=dataclasses.replace(managed.service, configuration=configuration))


def _reached(folder: Path, project: Path, hosts: Hosts | None) -> Hosts | None:
    """Files of this machine become absolute; a folder or program of another machine must be that already."""
    if hosts is None:
        return None
    return dataclasses.replace(
        hosts,
        root=hosts.root if hosts.names else project / hosts.root,
        install=hosts.install if hosts.names else _under(project, hosts.install),
        known_hosts=_under(folder, hosts.known_hosts),
        key_file=_under(folder, hosts.key_file),
    )


def _under(folder: Path, path: Path | None) -> Path | None:
    return None if path is None else folder / path


def _default_peers(inventory: Path, name: str, known: tuple[str, ...], *, sandbox: bool) -> Iterator[str]:
    """The other environments of the same sort: a sandbox's secrets are never compared with real ones."""
    for other in known:
        if other not in (name, discover.EXAMPLE) and _is_sandbox(inventory / other / FILE_NAME) is sandbox:
            yield other


def _is_sandbox(file: Path) -> bool:
    """What another environment says of itself.

    A damaged file counts as a real environment: it may not drop out of a comparison.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig")).get("sandbox") is True
    except (OSError, ValueError, RecursionError):
        return False
