"""Versions of secrets in AWS Secrets Manager, one secret there for each variable.

CURRENT, PENDING and PREVIOUS are its staging labels AWSCURRENT, AWSPENDING and AWSPREVIOUS. Moving AWSCURRENT takes one
call, which moves AWSPREVIOUS along (API reference, UpdateSecretVersionStage: "Secrets Manager automatically moves the
label AWSPREVIOUS to the version that AWSCURRENT was removed from"). AWSPENDING stays
on the new version until PREVIOUS is retired, as AWS's own rotation leaves it: a version that is CURRENT is no longer
PENDING, one that is PENDING is not PREVIOUS.

A retired version has no label; AWS forgets it in its own time, and until then it can still be read by its id.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.versions import Version, Versions, version_id

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
LONGEST = 65536
"""Bytes of a secret's text (API reference, PutSecretValue)."""
REFUSED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
}


@dataclass(frozen=True, kw_only=True)
class SecretsManager:
    """Where the secrets lie.

    Attributes:
        prefix: What stands before a variable's name in the name of its secret, as in ``praviel/production/``.
        region: None leaves it to AWS's own configuration.
        endpoint: Another address than the region's own; None means AWS.
        ca_file: PEM file of the authority that signed the endpoint's certificate.
        access_key: With ``secret_key``, whose rights are used; None leaves it to AWS's own configuration.
        seconds: How long connecting, and each wait for an answer, may take.
    """

    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    ca_file: Path | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    seconds: float = 10.0


class SecretsManagerVersions:
    """See `VersionStore`. Nothing holds others off: the environment's lease does."""

    def __init__(self, declared: SecretsManager) -> None:
        self._declared = declared
        self._making = threading.Lock()

    def __str__(self) -> str:
        place = self._declared.endpoint or self._declared.region
        return f"AWS Secrets Manager {self._declared.prefix}*" + (f" at {place}" if place else "")

    def read(self, name: str) -> Versions:
        held = self._held(name)
        if CURRENT not in held:
            return Versions(name)
        pending, previous = held.get(PENDING), held.get(PREVIOUS)
        if pending == held[CURRENT]:
            pending = None
        if previous in (held[CURRENT], pending):
            previous = None
        return Versions(
            name,
            current=self._version(name, held[CURRENT]),
            pending=self._version(name, pending) if pending else None,
            previous=self._version(name, previous) if previous else None,
        )

    def refuse(self, name: str, value: str) -> None:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            size, found = 0, "bytes that are not UTF-8"
        else:
            found = f"{size} bytes"
        if not 0 < size <= LONGEST:
            mend = f"it must be text of 1 to {LONGEST} bytes"
            raise InputError(f"{self} can't keep the new value of {name}", where=name, found=found, mend=mend)

    def put(self, values: Mapping[str, Secret], run: str) -> None:
        for name, value in values.items():
            with self._faults(name):
                self._client.put_secret_value(
                    SecretId=self._id(name),
                    ClientRequestToken=version_id(run, name),
                    SecretString=value.reveal(),
                    VersionStages=[PENDING],
                )

    def promote(self, names: Collection[str]) -> None:
        for name in names:
            held = self._held(name)
            self._move(name, CURRENT, held[CURRENT], held[PENDING])

    def demote(self, names: Collection[str]) -> None:
        for name in names:
            held = self._held(name)
            self._move(name, CURRENT, held[CURRENT], held[PREVIOUS])

    def discard(self, names: Collection[str]) -> None:
        for name in names:
            held = self._held(name)
            # PENDING last: as long as it is there, what else is left of the version does not count.
            if held.get(PREVIOUS) == held[PENDING]:
                self._move(name, PREVIOUS, held[PREVIOUS])
            self._move(name, PENDING, held[PENDING])

    def retire(self, names: Collection[str]) -> None:
        for name in names:
            held = self._held(name)
            self._move(name, PREVIOUS, held[PREVIOUS])
            if held.get(PENDING) == held[CURRENT]:
                self._move(name, PENDING, held[PENDING])

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        yield

    def _id(self, name: str) -> str:
        return f"{self._declared.prefix}{name}"

    def _held(self, name: str) -> dict[str, str]:
        """The version that holds each label."""
        with self._faults(name):
            try:
                answer = self._client.describe_secret(SecretId=self._id(name))
            except self._client.exceptions.ResourceNotFoundException:
                return {}
        labelled = answer.get("VersionIdsToStages", {})
        return {label: id for id, labels in labelled.items() for label in labels}

    def _version(self, name: str, id: str) -> Version:
        with self._faults(name):
            answer = self._client.get_secret_value(SecretId=self._id(name), VersionId=id)
        text = answer.get("SecretString")
        if text is None:
            raise InputError(
                f"the secret of {name} holds bytes, not text",
                where=f"{self._id(name)} in {self}",
                mend="put its value as SecretString",
            )
        return Version(id, Secret(name, text), answer["CreatedDate"])

    def _move(self, name: str, label: str, origin: str, target: str | None = None) -> None:
        to: dict[str, Any] = {"MoveToVersionId": target} if target else {}
        with self._faults(name):
            self._client.update_secret_version_stage(
                SecretId=self._id(name), VersionStage=label, RemoveFromVersionId=origin, **to
            )

    @cached_property
    def _client(self) -> SecretsManagerClient:
        import boto3
        from botocore.config import Config

        declared = self._declared
        config = Config(
            connect_timeout=declared.seconds,
            read_timeout=declared.seconds,
            retries={"mode": "standard", "total_max_attempts": 3},
        )
        options: dict[str, Any] = {"config": config, "endpoint_url": declared.endpoint}
        options["region_name"] = declared.region or ("us-east-1" if declared.endpoint else None)
        if declared.access_key and declared.secret_key:
            options["aws_access_key_id"] = declared.access_key.reveal()
            options["aws_secret_access_key"] = declared.secret_key.reveal()
        if declared.ca_file:
            options["verify"] = str(declared.ca_file)
        with self._making:  # making a client is not safe in several threads at once
            return boto3.session.Session().client("secretsmanager", **options)

    @contextlib.contextmanager
    def _faults(self, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        where = f"{self._id(name)} in {self}"
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in REFUSED:
                mend = "check whose keys are used, and what they may do: describe, get, put and update version stages"
                what, reason = "Secrets Manager refuses us", Reason.UNAUTHORISED
            elif code == "ResourceNotFoundException":
                mend = f"create {self._id(name)} there"
                what, reason = "Secrets Manager has no such secret", Reason.FAILED
            else:
                what, reason, mend = "Secrets Manager refused a request", Reason.FAILED, ""
            # The message may quote the request, and with it a value.
            raise SystemFault(what, reason=reason, where=where, found=code, mend=mend) from None
        except BotoCoreError as error:
            raise SystemFault(
                "Secrets Manager can't be reached",
                reason=Reason.UNREACHABLE,
                where=where,
                found=type(error).__name__,
                mend="check [secret_store] in the inventory, and whether this machine may reach it",
            ) from None
