"""What an environment declares of the place where its secrets' versions are kept, and how it is opened."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.environment.problem import Problem
from runbooks.environment.sensitive import secret_names
from runbooks.environment.value import Value
from runbooks.systems.secrets.source import SourceDeclaration, SourceKind

if TYPE_CHECKING:
    from runbooks.environment.site import Site
    from runbooks.systems.secrets.versions import SecretVersions, VersionStore


class SecretStoreKind(enum.StrEnum):
    """Where versions can be kept."""

    DOTENV = "dotenv"
    SECRETS_MANAGER = "secrets-manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStore:
    """Where a rotation puts new values, and finds those before.

    Attributes:
        kind: Which place.
        path: dotenv: the file; after loading absolute. None: the file that the environment's variables are in.
        prefix: secrets-manager: what stands before a variable's name in the name of its secret.
        region: secrets-manager: None leaves it to AWS's own configuration.
        endpoint: secrets-manager: the URL of another server that speaks its protocol; None means AWS.
        ca_file: secrets-manager: PEM file of the authority that signed the endpoint's certificate.
        access_key: secrets-manager: with ``secret_key``, the account that is used; None leaves it to AWS's own
            configuration.
        secret_key: secrets-manager: that account's secret.
    """

    kind: SecretStoreKind = SecretStoreKind.DOTENV
    path: Path | None = None
    prefix: str = ""
    region: str | None = None
    endpoint: Value | None = None
    ca_file: Path | None = None
    access_key: Value | None = None
    secret_key: Value | None = None


USED_BY: Mapping[SecretStoreKind, tuple[str, ...]] = {
    SecretStoreKind.DOTENV: ("path",),
    SecretStoreKind.SECRETS_MANAGER: ("prefix", "region", "endpoint", "ca_file", "access_key", "secret_key"),
}


def problems(declared: SecretStore) -> Iterator[Problem]:
    """What contradicts itself."""
    for kind, keys in USED_BY.items():
        for key in keys if kind is not declared.kind else ():
            if getattr(declared, key):
                what = f"'secret_store.{key}' has no use with kind = \"{declared.kind}\""
                yield Problem(("secret_store", key), what, mend=f'remove it, or set kind = "{kind}"')
    if (declared.access_key is None) != (declared.secret_key is None):
        missing = "secret_key" if declared.secret_key is None else "access_key"
        mend = f"add secret_store.{missing}, or remove the other"
        what = f"'secret_store.{missing}' is missing: the two belong together"
        yield Problem(("secret_store",), what, mend=mend)
    if isinstance(declared.secret_key, str):
        what = "'secret_store.secret_key' holds a secret; secrets are only named in the inventory"
        mend = 'move it to the [secrets] source and write { secret = "SECRET_STORE_KEY" } here'
        yield Problem(("secret_store", "secret_key"), what, found="a text", mend=mend)


def secret_versions(site: Site) -> SecretVersions:
    """The versions of the environment's secrets; each value that is read there or put there is masked from then on.

    Raises:
        InputError: the place is not declared, or the keys of its account can't be read.
    """
    from runbooks.systems.secrets.versions import SecretVersions

    return SecretVersions(_opened(site), known=site.mask)


def current(site: Site, name: str) -> Secret | None:
    """The value that the application has: CURRENT where versions are kept apart from the variables, else theirs.

    Raises:
        InputError: the keys of the place's account can't be read.
        SystemFault: it can't be asked.
    """
    if is_elsewhere(site) and (found := secret_versions(site).read(name).current):
        return found.value
    return site.variables.get(name)


def current_variables(site: Site) -> Mapping[str, Secret]:
    """The variables, with the values of now of those whose versions are kept apart from them. Raises as `current`."""
    if not is_elsewhere(site):
        return site.variables
    versions = secret_versions(site)
    kept = {name: found.value for name in secret_names(site.variables) if (found := versions.read(name).current)}
    return {**site.variables, **kept}


def is_elsewhere(site: Site) -> bool:
    """Whether versions are kept in another place than the one that the variables are read from."""
    declared, variables = site.environment.secret_store, site.environment.variables
    if declared.kind is not SecretStoreKind.DOTENV:
        return True
    if declared.path is None:
        return False
    own = site.environment.folder / variables.path if variables.path else None
    return own is None or os.path.realpath(own) != os.path.realpath(declared.path)


def key_file_versions(site: Site, name: str) -> SecretVersions:
    """The versions of the key that hosts are logged in to with: its file is what the inventory names.

    Raises:
        InputError: it names none.
    """
    from runbooks.systems.secrets.key_file import KeyFileVersions
    from runbooks.systems.secrets.versions import SecretVersions

    hosts = site.environment.platform.hosts
    if hosts is None or not hosts.names or hosts.key_file is None:
        raise InputError(
            "the inventory names no hosts that are logged in to with a key in a file",
            where="platform.hosts",
            mend="declare platform.hosts.names and platform.hosts.key_file",
        )
    return SecretVersions(KeyFileVersions(Path(os.path.realpath(hosts.key_file)), name), known=site.mask)


def _opened(site: Site) -> VersionStore:
    declared = site.environment.secret_store
    if declared.kind is SecretStoreKind.DOTENV:
        from runbooks.systems.secrets.dotenv_versions import DotenvVersions

        return DotenvVersions(_file(declared, site.environment.variables, site.environment.folder))
    from runbooks.systems.secrets.secrets_manager import SecretsManager, SecretsManagerVersions

    def named(key: str, value: Value | None) -> Secret | None:
        return None if value is None else site.value(value, f"secret_store.{key}")

    endpoint = named("endpoint", declared.endpoint)
    return SecretsManagerVersions(
        SecretsManager(
            prefix=declared.prefix,
            region=declared.region,
            endpoint=endpoint.reveal() if endpoint else None,
            ca_file=declared.ca_file,
            access_key=named("access_key", declared.access_key),
            secret_key=named("secret_key", declared.secret_key),
        )
    )


def _file(declared: SecretStore, variables: SourceDeclaration, folder: Path) -> Path:
    """The dotenv file itself, not a link to it."""
    path = declared.path
    if path is None and variables.source is SourceKind.DOTENV and variables.path is not None:
        path = folder / variables.path
    if path is None:
        raise InputError(
            "the inventory does not say where new values of secrets are to be put",
            where=f"{folder.name}/environment.toml",
            found=f'the variables come from source = "{variables.source}", which can only be read',
            mend='declare [secret_store]: kind = "dotenv" with a path, or kind = "secrets-manager"',
        )
    return Path(os.path.realpath(path))
