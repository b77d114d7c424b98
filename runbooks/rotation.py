"""Which kinds of secrets can be rotated here, and what runs with them: the one place that chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from runbooks.catalog import Opening
from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, Record, read_chain
from runbooks.environment.problem import did_you_mean
from runbooks.environment.secret_store import key_file_versions, secret_versions
from runbooks.environment.sensitive import sensitive
from runbooks.environment.site import Site
from runbooks.given import Given
from runbooks.steps.rotation.kind import Consumers, Kind
from runbooks.steps.rotation.nobody import Nobody
from runbooks.systems.secrets.versions import SecretVersions

PATIENCE = 120.0
"""Seconds that a rotation waits for those who use the old value, unless --wait says otherwise."""


MODELS = {"OPENAI_API_KEY": "openai", "ANTHROPIC_API_KEY": "anthropic", "GOOGLE_API_KEY": "google"}
"""Keys of providers of language models: the variable, and the provider."""

MAIL = {
    "RESEND_API_KEY": "resend",
    "SENDGRID_API_KEY": "sendgrid",
    "MAILGUN_API_KEY": "mailgun",
    "POSTMARK_SERVER_TOKEN": "postmark",
}
"""Keys of providers of mail."""

SES = "AWS_ACCESS_KEY_ID"
"""The one of AWS's, whose secret is a variable of its own."""

SSH_KEY = "SSH_KEY"
"""The key that hosts are logged in to with."""


def _jwt_key(site: Site, _run: str, _given: Given) -> Kind:
    from runbooks.steps.rotation.jwt_key import JwtKey

    return JwtKey(site)


def _database_password(site: Site, _run: str, _given: Given) -> Kind:
    if site.environment.database.roles:
        from runbooks.steps.rotation.database_roles import DatabaseRoles

        return DatabaseRoles(site)
    from runbooks.steps.rotation.database_password import DatabasePassword

    return DatabasePassword(site)


def _redis_password(site: Site, _run: str, _given: Given) -> Kind:
    from runbooks.steps.rotation.redis_password import RedisPassword

    return RedisPassword(site)


def _encryption_key(site: Site, run: str, _given: Given) -> Kind:
    from runbooks.steps.rotation.encryption_key import EncryptionKey

    return EncryptionKey(site, run)


def _provider_key(name: str, vendor: str) -> Callable[[Site, str, Given], Kind]:
    def made(site: Site, run: str, given: Given) -> Kind:
        from runbooks.steps.rotation.provider_key import ProviderKey

        maker = site.vendors.openai_keys() if vendor == "openai" and not given.command else None
        toggle = site.vendors.anthropic_keys() if vendor == "anthropic" else None
        return ProviderKey(site, run, vendor, name, lambda: given.value, maker, toggle)

    return made


def _ses_key(site: Site, run: str, given: Given) -> Kind:
    from runbooks.steps.rotation.ses_key import ID, SesKey

    return SesKey(site, run, "aws_ses", ID, lambda: given.value)


def _ssh_key(site: Site, run: str, _given: Given) -> Kind:
    from runbooks.steps.rotation.ssh_key import SshKey

    return SshKey(site, run)


def _mail_key(name: str, vendor: str) -> Callable[[Site, str, Given], Kind]:
    def made(site: Site, run: str, given: Given) -> Kind:
        from runbooks.steps.rotation.mail_key import MailKey

        maker = None if given.command else site.vendors.mail_keys(vendor)
        return MailKey(site, run, vendor, name, lambda: given.value, maker)

    return made


KINDS: Mapping[str, Callable[[Site, str, Given], Kind]] = {
    "DATABASE_URL": _database_password,
    "REDIS_URL": _redis_password,
    "JWT_SECRET_KEY": _jwt_key,
    "ENCRYPTION_KEY": _encryption_key,
    **{name: _provider_key(name, vendor) for name, vendor in MODELS.items()},
    **{name: _mail_key(name, vendor) for name, vendor in MAIL.items()},
    SES: _ses_key,
    SSH_KEY: _ssh_key,
}
"""By the variable that a rotation is called by, or the name of what is none."""


def kind_of(name: str, site: Site, run: str, given: Given) -> Kind:
    """What is particular to rotating this variable.

    Raises:
        InputError: nobody knows how, or the inventory lacks what it needs.
    """
    if name not in KINDS:
        mend = did_you_mean(name, KINDS, cutoff=0.6) or "invoke secrets.status"
        raise InputError(f"{name} can't be rotated by this tool", found=f"it knows {', '.join(KINDS)}", mend=mend)
    return KINDS[name](site, run, given)


def versions_of(name: str, site: Site) -> SecretVersions:
    """Where the versions of this secret are kept. Raises InputError where the inventory does not say."""
    return key_file_versions(site, name) if name == SSH_KEY else secret_versions(site)


def consumers_of(site: Site, kind: Kind, opening: Opening) -> Consumers:
    """What runs with the environment's variables: hosts with slots are changed by this tool, all else by a person."""
    environment = site.environment
    if not kind.deployed:
        return Nobody()
    if environment.platform.hosts is None:
        from runbooks.steps.rotation.by_hand import ByHand

        journal = opening.runs / opening.run / FILE_NAME
        said = bool(opening.parameters.get("restarted"))
        return ByHand(environment.name, kind, lambda: site.platform, lambda: records_in(journal), said)
    from runbooks.steps.rotation.on_hosts import OnHosts

    on_hosts = OnHosts(
        site.hosting,
        opening.run,
        lambda variables: site.fingerprint_of(variables) or "",
        lambda variables: site.redactor.add(*sensitive(variables)),
        environment.deploy.gate_seconds,
    )
    if not environment.sandbox:
        return on_hosts
    from runbooks.sandbox.consumers import SandboxConsumers
    from runbooks.sandbox.world import Sandbox

    return SandboxConsumers(on_hosts, Sandbox.of(environment.project, site.redactor))


def records_in(journal: Path) -> list[Record]:
    """What a run has recorded by now; nothing before it began."""
    return list(read_chain(journal).records) if journal.exists() else []
