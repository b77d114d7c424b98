"""An environment with its systems at hand: the one place where a system is chosen from what the inventory declares."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.redact import SHORTEST, Redactor
from runbooks.engine.secret import Secret
from runbooks.environment.fingerprint import keyed
from runbooks.environment.hosting import WorkerPlan
from runbooks.environment.load import load
from runbooks.environment.model import Environment
from runbooks.environment.platforms import open_hosting, open_platform, serving_commit, worker_plan
from runbooks.environment.public_side import PublicSide
from runbooks.environment.resolve import Values, open_values
from runbooks.environment.sensitive import passwords, sensitive
from runbooks.environment.stores import open_shelf
from runbooks.environment.value import Value
from runbooks.environment.variables import Variables
from runbooks.environment.vendors import Vendors
from runbooks.systems.http.client import HttpClient
from runbooks.systems.ledger.ledger import Ledger
from runbooks.systems.secrets.source import SourceKind
from runbooks.systems.snapshots.shelf import Shelf
from runbooks.systems.source.checkout import Checkout
from runbooks.systems.source.history import History
from runbooks.systems.source.interpreter import Interpreter

if TYPE_CHECKING:  # their SDKs take longer to load than the first answers take to come
    from runbooks.systems.platform.hosting import Hosting
    from runbooks.systems.platform.port import Platform
    from runbooks.systems.postgres.client import Database
    from runbooks.systems.redis.client import RedisServer


class Site(Variables):
    """What steps and checks ask. A system is made when it is first asked for, so an undeclared one costs nothing.

    Raises:
        InputError: a source of variables or secrets can't be read.
        SystemFault: the command of a source failed.
    """

    def __init__(self, environment: Environment, redactor: Redactor, environ: Mapping[str, str] = os.environ) -> None:
        self.environment = environment
        self.redactor = redactor
        self.values: Values = open_values(environment, environ)
        self._environ = environ
        self._settings_lock = threading.Lock()
        self._settings_problem: str | None = None
        self.stopping = threading.Event()
        redactor.add(*sensitive(self.variables))
        held = self.values.secrets.load()
        if environment.secrets.source is not SourceKind.ENVIRONMENT:  # that one holds all sorts of things
            redactor.add(*sensitive(held))

    @property
    def variables(self) -> Mapping[str, Secret]:
        """What the application is deployed with."""
        return self.values.variables.load()

    @cached_property
    def public(self) -> PublicSide:
        """What the public sees: names, addresses and the sites that use the application."""
        return PublicSide(self.environment, self.resolve, self.variable)

    @cached_property
    def application(self) -> HttpClient:
        """The application's public address."""
        return self.public.web(self.public.url)

    @cached_property
    def database(self) -> Database:
        """The application's database, as the operator reaches it."""
        from runbooks.systems.postgres.client import Database

        declared = self.environment.database
        return Database(
            self.database_url,
            connect_seconds=declared.connect_timeout_seconds,
            statement_seconds=self.environment.checks.timeout_seconds / 2,
            reach=declared.reach,
            ca_file=declared.ca_file,
        )

    @cached_property
    def database_url(self) -> Secret:
        """The address at which the operator reaches the application's database."""
        return self.resolve(self.environment.database.url, "database.url")

    @cached_property
    def scratch(self) -> Secret:
        """The URL of the empty database that scratch databases are copies of.

        Raises:
            SystemFault: the inventory declares none.
        """
        declared = self.environment.database.scratch_url
        if declared is None:
            raise SystemFault(
                "there is no place to build the release's schema in",
                reason=Reason.UNREACHABLE,
                mend="declare database.scratch_url: an empty database with the extensions, on any server",
            )
        return self.resolve(declared, "database.scratch_url")

    @cached_property
    def redis(self) -> RedisServer:
        """The application's Redis, as the operator reaches it."""
        from runbooks.systems.redis.client import RedisServer

        declared = self.environment.redis
        return RedisServer(self.resolve(declared.url, "redis.url"), reach=declared.reach)

    @cached_property
    def vendors(self) -> Vendors:
        """The providers of language models and of mail."""
        return Vendors(self.environment, self.resolve, self.stopping)

    @cached_property
    def ledger(self) -> Ledger:
        """What was watched and rehearsed in this environment from this machine."""
        return Ledger(self.environment.project / "var" / "watch" / self.environment.name)

    @cached_property
    def shelf(self) -> Shelf:
        """The environment's snapshots, and what drills and looks at them came to.

        Raises:
            InputError: the keys of the store's account can't be read.
        """
        return open_shelf(self.environment, self.values)

    @cached_property
    def source(self) -> Checkout:
        """The checkout of the running release.

        Raises:
            SystemFault: the inventory declares none.
        """
        release = self.environment.release
        if release.source is None:
            raise SystemFault(
                "there is no checkout of the release to look at",
                reason=Reason.UNREACHABLE,
                mend="declare release.source in the inventory",
            )
        return Checkout(release.source)

    @cached_property
    def interpreter(self) -> Interpreter:
        """The running release's code in its own interpreter; a sandbox's is ours.

        Raises:
            SystemFault: as `source`.
        """
        python = self.environment.release.python or (Path(sys.executable) if self.environment.sandbox else None)
        return Interpreter(self.source.folder, python)

    def settings_problem(self, seconds: float) -> str | None:
        """Why the release's settings do not load with the deployed variables, or None; loaded once for all who ask.

        Raises:
            SystemFault: it can't be told.
        """
        with self._settings_lock:
            if self._settings_problem is None:
                self._settings_problem = self.interpreter.settings_problem(self.variables, seconds) or ""
        return self._settings_problem or None

    @cached_property
    def history(self) -> History:
        """The release's repository with its history.

        Raises:
            SystemFault: it can't be fetched, or the checkout has none and the inventory declares none.
        """
        declared = self.environment.release.repository
        if declared is not None:
            place = self.resolve(declared, "release.repository")
            return History.at(place, self.environment.project, self.cache / "repositories")
        if not (self.source.folder / ".git").exists():
            raise SystemFault(
                "there is no history of the release to look at",
                reason=Reason.UNREACHABLE,
                where=str(self.source.folder),
                mend="declare release.repository in the inventory: a path or URL of a complete clone",
            )
        return History(self.source.folder)

    @property
    def cache(self) -> Path:
        """What is quicker kept than made again; it may be deleted at any time."""
        return self.environment.project / "var" / "cache"

    @cached_property
    def platform(self) -> Platform:
        """What runs the application.

        Raises:
            SystemFault: the inventory does not say what to ask, or it can't be asked yet.
        """
        return open_platform(self.environment.platform)

    @cached_property
    def hosting(self) -> Hosting:
        """The hosts that releases are deployed to. Raises SystemFault: the inventory declares none."""
        return open_hosting(self.environment.platform, lambda: self.history.folder)

    @property
    def worker_plan(self) -> WorkerPlan | None:
        """Whose rule says how many workers are right; None if it is not declared.

        Raises:
            InputError: what the inventory names holds another word.
        """
        declared = self.environment.platform.worker_plan
        if declared is None:
            return None
        return worker_plan(self.resolve(declared, "platform.worker_plan").reveal())

    @property
    def commit(self) -> str | None:
        """The git commit of what answers requests, as its host or else its variables say; None if neither does."""
        name = self.environment.release.commit_variable
        told = serving_commit(self.hosting) if self.environment.platform.hosts else None
        return told or (self.variable(name) if name else None)

    def value(self, value: Value, key: str) -> Secret:
        """The value that a key of the inventory refers to; masked from here on, unless it stands there in clear.

        Raises:
            InputError: its source does not hold it.
        """
        secret = self.resolve(value, key)
        if not isinstance(value, str):
            self.redactor.add(secret)
        return secret

    def mask(self, secret: Secret) -> None:
        """Have a value masked from here on, and the password in it; one too short for that is never shown anyway."""
        itself = [secret] if len(secret.reveal()) >= SHORTEST else []
        self.redactor.add(*passwords(secret), *itself)

    def fingerprint(self, text: str) -> str:
        """A keyed hash that tells equal values apart from different ones and nothing else.

        Raises:
            InputError: no key is declared for it.
        """
        return keyed(self.resolve(self.environment.fingerprints.key, "fingerprints.key"))(text)

    def peer_variables(self, name: str) -> Mapping[str, Secret]:
        """The variables of another environment of the inventory, to be compared by fingerprint only.

        Raises:
            InputError: it can't be loaded, or its variables can't be read from here.
        """
        variables = self.peer(name)[1].variables.load()
        self.redactor.add(*sensitive(variables))
        return variables

    def peer(self, name: str) -> tuple[Environment, Values]:
        """Another environment of the inventory, and its values. Raises InputError: it can't be loaded."""
        peer = load(self.environment.folder.parent, name)
        return peer, open_values(peer, self._environ)

    def warm_up(self) -> None:
        """Load what the first questions will need, aside, while somebody waits for an answer."""

        def load() -> None:
            import runbooks.systems.postgres.client
            import runbooks.systems.redis.client  # noqa: F401

        threading.Thread(target=load, name="warm-up", daemon=True).start()

    def close(self) -> None:
        """Close the connections that were opened."""
        for name in ("application", "database", "hosting", "vendors"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def resolve(self, value: Value, key: str) -> Secret:
        """The value that a key of the inventory refers to; a password in it is masked from here on."""
        secret = self.values.resolve(value, key)
        self.redactor.add(*passwords(secret))
        if not isinstance(value, str) and key.endswith("key"):
            self.redactor.add(secret)
        return secret
