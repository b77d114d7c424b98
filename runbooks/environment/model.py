"""What an environment declares: one frozen object per table of its `environment.toml`.

`inventory/example/environment.toml` shows every key with its default. Values that may be secret or differ
between machines are references (`Value`) here; `resolve` turns them into values.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from runbooks.environment.backup import Backup
from runbooks.environment.checking import Checks
from runbooks.environment.content import Content
from runbooks.environment.database_roles import DatabaseRoles
from runbooks.environment.deploying import Deploy
from runbooks.environment.documentation import Allowance, Documentation, allowance
from runbooks.environment.edge import Dns, Domain, Frontend
from runbooks.environment.hosting import Hosts, LimitBounds, Service
from runbooks.environment.inbox import Inbox
from runbooks.environment.mail import Mail
from runbooks.environment.managed import Managed
from runbooks.environment.providers import Providers
from runbooks.environment.schedule import Schedule
from runbooks.environment.secret_store import SecretStore
from runbooks.environment.store import Store
from runbooks.environment.support import Monitor, People, Support
from runbooks.environment.value import SecretRef, Value, VariableRef
from runbooks.environment.watching import Load, Watch
from runbooks.systems.secrets.source import SourceDeclaration, SourceKind

FILE_NAME = "environment.toml"
PROCESS_ENVIRONMENT = SourceDeclaration(SourceKind.ENVIRONMENT)


class Reach(enum.StrEnum):
    """How a server is reached: at its address, from inside its private network, or through a public proxy."""

    DIRECT = "direct"
    RUNNER = "runner"
    PROXY = "proxy"


class PlatformKind(enum.StrEnum):
    """What runs the application."""

    HOSTS = "hosts"
    RAILWAY = "railway"


class Plan(enum.StrEnum):
    """How much room the database has; decides the pool sizes that are accepted."""

    RAILWAY = "railway"
    DEDICATED = "dedicated"

    @property
    def pool_sizes(self) -> range:
        """The accepted DB_POOL_SIZE, in connections per worker."""
        return range(5, 11) if self is Plan.RAILWAY else range(20, 51)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The running application.

    Attributes:
        url: Its public address, http or https.
        ca_file: PEM file of the authority that signed its certificate; None means the system's authorities.
        environment: The value that its variable ENVIRONMENT must have.
        echo_fallback_intended: Whether answering without a provider is wanted here.
        test_email_domain: Where throw-away users live; None means that no check may create one.
        health_latency_budget_ms: The longest acceptable answer of its health page, in milliseconds.
        provider_witness: A stand-in for the providers that tells whether a value reached it; real ones do not.
    """

    url: Value
    ca_file: Path | None = None
    environment: str = "production"
    echo_fallback_intended: bool = False
    test_email_domain: str | None = None
    health_latency_budget_ms: int = 500
    provider_witness: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Where the running release can be read on this machine.

    Attributes:
        source: Its checkout; None if there is none here.
        python: An interpreter with its dependencies. None: a sandbox uses the tool's own.
        commit_variable: The application's variable that holds its git commit.
        repository: Its git repository with its history, a path or a URL. None: the checkout's own.
        engine: The SQLAlchemy engine that it asks its database with, as MODULE:NAME.
        sealed_variables: Variables that are set, but that the platform gives to nobody.
        allowed_secrets: Lines that look like a secret and are none, each as "PATH MARK REASON".
    """

    source: Path | None = None
    python: Path | None = None
    commit_variable: str | None = None
    repository: Value | None = None
    engine: str = "app.db.session:engine"
    sealed_variables: tuple[str, ...] = ()
    allowed_secrets: tuple[str, ...] = ()

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """The allowed secrets, parsed."""
        return tuple(entry for text in self.allowed_secrets if (entry := allowance(text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The application's PostgreSQL database.

    Attributes:
        url: Its connection URL.
        reach: How this machine reaches it.
        ca_file: PEM file of the authority that signed the server's certificate.
        connect_timeout_seconds: How long connecting may take, in seconds.
        scratch_url: An empty database, on any server, that holds the extensions and whose owner may create databases:
            the release's schema is built in copies of it.
        networks: The networks that may reach it; none: any private one.
        managed: Who keeps it running; None: whoever its name says.
        roles: The roles in DATABASE_URL that take turns; None: it is always the same one.
    """

    url: Value = VariableRef("DATABASE_URL")
    reach: Reach = Reach.DIRECT
    ca_file: Path | None = None
    connect_timeout_seconds: int = 5
    scratch_url: Value | None = None
    networks: tuple[str, ...] = ()
    managed: Managed | None = None
    roles: DatabaseRoles | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """The application's Redis.

    Attributes:
        url: Its connection URL.
        reach: How this machine reaches it.
        networks: The networks that may reach it; none: any private one.
        managed: Who keeps it running; None: whoever its name says.
    """

    url: Value = VariableRef("REDIS_URL")
    reach: Reach = Reach.DIRECT
    networks: tuple[str, ...] = ()
    managed: Managed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What runs the application, and how many of it.

    Attributes:
        kind: Which platform.
        plan: How much room its database has; after loading never None.
        replicas: How many copies of the application run at once.
        slots: 2 if the old and the new release both run during a switch, otherwise 1.
        worker_plan: A `WorkerPlan`: whose rule says how many workers are right; after loading None on railway only.
        build_timeout_seconds: When the platform gives a build up, in seconds; None: not known.
        service: On hosts, what keeps the application running; None: nobody can be asked.
        hosts: On hosts, what is deployed to; None: nothing is deployed by this tool.
        limits: Between what its limits must lie.
    """

    kind: PlatformKind
    plan: Plan | None = None
    replicas: int = 1
    slots: int = 2
    worker_plan: Value | None = None
    build_timeout_seconds: int | None = None
    service: Service | None = None
    hosts: Hosts | None = None
    limits: LimitBounds = LimitBounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprints:
    """How secrets of several environments are compared without being revealed.

    Attributes:
        key: The HMAC key that all environments share.
        peers: Environments whose secrets must differ from this one's; after loading never None.
    """

    key: Value = SecretRef("FINGERPRINT_KEY")
    peers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """All that an `environment.toml` may hold.

    Attributes:
        schema: The version of this format.
        application: The running application.
        variables: Where the variables are that the application is deployed with.
        platform: What runs it.
        description: One line for people.
        protected: Whether changes must be confirmed by typing the environment's name.
        sandbox: Whether this tool starts the environment itself.
        release: Where the running release can be read.
        secrets: Where the secrets are that this tool needs and the application does not have.
        secret_store: Where a rotation keeps the versions of the application's secrets.
        vault: Where people keep the application's secrets; only read. None: where versions are, if that is a vault.
        database: Its PostgreSQL database.
        redis: Its Redis.
        dns: Who is asked for names.
        domain: The name that the public knows it by.
        frontend: The sites whose pages call it.
        providers: The providers of language models.
        mail: How mail is sent, and known to be genuine.
        store: Where runs, releases, snapshots and leases are kept.
        backup: How its database is copied into the store, and restored from there.
        fingerprints: How secrets are compared between environments.
        checks: How checks are run.
        people: Where people write down what only they know.
        support: Where users are helped.
        monitor: Who watches the application; None: nobody that can be asked.
        documentation: The application's documents.
        watch: What is normal after a deploy.
        load: The load that is expected, and whether it may be rehearsed here.
        content: What the application is seeded with.
        inbox: Where mail to throw-away users can be read.
        schedule: When regular work is done.
        deploy: How a release is put to work, and what it must prove.
    """

    # Read by pydantic only: nothing is converted, unknown keys are errors. The tables inherit it.
    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}

    schema: Literal[1]
    application: Application
    variables: SourceDeclaration
    platform: Platform
    description: str = ""
    protected: bool = True
    sandbox: bool = False
    release: Release = Release()
    secrets: SourceDeclaration = PROCESS_ENVIRONMENT
    secret_store: SecretStore = SecretStore()
    vault: SourceDeclaration | None = None
    database: Database = Database()
    redis: Redis = Redis()
    dns: Dns = Dns()
    domain: Domain = Domain()
    frontend: Frontend = Frontend()
    providers: Providers = Providers()
    mail: Mail = Mail()
    store: Store = Store()
    backup: Backup = Backup()
    fingerprints: Fingerprints = Fingerprints()
    checks: Checks = Checks()
    people: People = People()
    support: Support = Support()
    monitor: Monitor | None = None
    documentation: Documentation = field(default_factory=Documentation)
    watch: Watch = Watch()
    load: Load = Load()
    content: Content = Content()
    inbox: Inbox | None = None
    schedule: Schedule = Schedule()
    deploy: Deploy = Deploy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(Declaration):
    """A loaded environment: what its file declares, with every default filled in and every path absolute.

    Attributes:
        name: The folder's name in the inventory.
        folder: That folder, absolute.
        project: The folder that holds the inventory, absolute.
    """

    name: str
    folder: Path
    project: Path

    @property
    def file(self) -> Path:
        """The file that declares it."""
        return self.folder / FILE_NAME

    @property
    def label(self) -> str:
        """How a verdict line names it, so that nobody takes a sandbox for production."""
        return f"{self.name} (sandbox)" if self.sandbox else self.name
