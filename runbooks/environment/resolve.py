"""Turns the references of an inventory into values, reading each source when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.environment.model import Environment
from runbooks.environment.problem import did_you_mean
from runbooks.environment.value import SecretRef, Value, VariableRef
from runbooks.systems.secrets.source import SecretSource, open_source


@dataclass(frozen=True, slots=True)
class Values:
    """Where an environment's values are read from.

    Attributes:
        variables: What the application is deployed with.
        secrets: What this tool itself needs.
        vault: What people keep of the application's secrets; None: nobody has said where.
    """

    variables: SecretSource
    secrets: SecretSource
    vault: SecretSource | None = None

    def resolve(self, value: Value, key: str) -> Secret:
        """The value that a key refers to. Also a literal becomes a `Secret`, so that all are handled alike.

        Args:
            value: What the inventory says.
            key: The key's dotted name, for the error.

        Raises:
            InputError: the source can't be read, or does not hold that name, or holds nothing under it.
            SystemFault: the source's command failed.
        """
        match value:
            case SecretRef(name):
                return _named(name, self.secrets, key, "[secrets]")
            case VariableRef(name):
                return _named(name, self.variables, key, "[variables]")
        return Secret(key, value)


def open_values(environment: Environment, environ: Mapping[str, str]) -> Values:
    """The sources that an environment declares, not yet read.

    Args:
        environment: A loaded environment.
        environ: This process's environment variables.
    """
    made_by = "invoke sandbox.up" if environment.sandbox else ""
    return Values(
        variables=open_source(environment.variables, environment.folder, environ, made_by=made_by),
        secrets=open_source(environment.secrets, environment.folder, environ, made_by=made_by),
        vault=open_source(environment.vault, environment.folder, environ) if environment.vault else None,
    )


def _named(name: str, source: SecretSource, key: str, table: str) -> Secret:
    held = source.load()
    if secret := held.get(name):
        return secret
    problem = "is empty" if name in held else "is missing"
    raise InputError(
        f"'{key}' needs {name}, which {problem} in {table}",
        where=source.origin,
        found="" if name in held else f"{len(held)} other names",
        mend=did_you_mean(name, held.keys() - {name}, cutoff=0.8) or f"add {name} there",
    )
