"""The vault that people keep an application's secrets in: a source that is only read, or Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runbooks.engine.secret import Secret
from runbooks.environment.secret_store import SecretStoreKind, secret_versions
from runbooks.environment.sensitive import sensitive
from runbooks.environment.site import Site


def vault_of(site: Site) -> str | None:
    """What to call it; None: the inventory declares none."""
    if site.values.vault is not None:
        return site.values.vault.origin
    if site.environment.secret_store.kind is SecretStoreKind.SECRETS_MANAGER:
        return str(secret_versions(site))
    return None


def values_in_vault(site: Site, names: Iterable[str]) -> Mapping[str, Secret]:
    """What it holds of these, but for empty ones; masked from here on.

    Raises:
        InputError: it is not as the inventory says.
        SystemFault: it can't be asked.
    """
    if site.values.vault is None:
        versions = secret_versions(site)
        return {name: found.value for name in names if (found := versions.read(name).current)}
    held = site.values.vault.load()
    site.redactor.add(*sensitive(held))
    return {name: held[name] for name in names if name in held and held[name].reveal()}
