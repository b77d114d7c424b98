"""A store in a bucket that speaks S3's protocol: what every operator of an environment shares."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.store import Stored

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "401", "403"}
SOMEBODY_ELSE = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"}
"""Answers to a conditional put that was not first, or whose object is gone."""
PROOF = ".conditions"
"""The object on which a conditional put is tried."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Where the objects lie.

    Attributes:
        name: The bucket, which must exist.
        prefix: What every object's key begins with; empty or without slashes at its ends.
        endpoint: The server's URL; None means AWS itself.
        region: As the server calls it; None leaves it to AWS's own configuration.
        ca_file: PEM file of the authority that signed the server's certificate.
        access_key: With ``secret_key``, whose rights are used; None leaves it to AWS's own configuration.
        seconds: How long connecting, and each wait for an answer, may take.
    """

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    ca_file: Path | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    seconds: float = 10.0


class S3Store:
    """Objects under a prefix of a bucket; the ETag is an object's version.

    Conditional puts are the server's own (``If-None-Match: *``, ``If-Match``): S3 has them, Cloudflare R2,
    MinIO and SeaweedFS too.
    """

    shared = True

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self._lock = threading.RLock()
        self._proven = False

    def __str__(self) -> str:
        place = f" at {self.bucket.endpoint}" if self.bucket.endpoint else ""
        return f"bucket {self.bucket.name}/{self.bucket.prefix}{place}"

    def get(self, name: str) -> Stored | None:
        with self.faults(name):
            try:
                answer = self.client.get_object(Bucket=self.bucket.name, Key=self.key(name))
            except self.client.exceptions.NoSuchKey:
                return None
            return Stored(answer["Body"].read(), answer["ETag"])

    def put(self, name: str, body: bytes, *, replaces: str | None) -> str | None:
        with self.faults(name):
            self._prove_conditions()
            return self._put(name, body, {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces})

    def names(self, prefix: str) -> Iterator[str]:
        with self.faults(prefix):
            pages = self.client.get_paginator("list_objects_v2")
            found = pages.paginate(Bucket=self.bucket.name, Prefix=self.key(prefix))
            keys = [entry["Key"] for page in found for entry in page.get("Contents", ())]
        names = (key.removeprefix(self.key("")) for key in keys)
        yield from sorted(name for name in names if name != PROOF)

    def _prove_conditions(self) -> None:
        """See once that the server refuses a conditional put: one that ignores the condition would share a lease."""
        with self._lock:
            if self._proven:
                return
            if self._put(PROOF, b"", {"IfNoneMatch": "*"}) and self._put(PROOF, b"", {"IfNoneMatch": "*"}):
                raise SystemFault(
                    "the store ignores conditional writes, so it can't hold a lease",
                    reason=Reason.BAD_ANSWER,
                    where=str(self),
                    found="a put with If-None-Match: * replaced an object",
                    mend="use a server that has them: AWS S3, Cloudflare R2, MinIO, SeaweedFS",
                )
            self._proven = True

    def _put(self, name: str, body: bytes, condition: Mapping[str, Any]) -> str | None:
        from botocore.exceptions import ClientError

        try:
            answer = self.client.put_object(
                Bucket=self.bucket.name, Key=self.key(name), Body=body, ContentLength=len(body), **condition
            )
        except ClientError as error:
            if _code(error) not in SOMEBODY_ELSE:
                raise
            # Of a request that was sent twice, the first may have been ours and its answer lost.
            if error.response["ResponseMetadata"].get("RetryAttempts"):
                stored = self.get(name)
                return stored.version if stored and stored.body == body else None
            return None
        return str(answer["ETag"])

    def key(self, name: str) -> str:
        return f"{self.bucket.prefix}/{name}" if self.bucket.prefix else name

    @cached_property
    def client(self) -> S3Client:
        import boto3
        from botocore.config import Config

        bucket = self.bucket
        config = Config(
            signature_version="s3v4",
            connect_timeout=bucket.seconds,
            read_timeout=bucket.seconds,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path" if bucket.endpoint else "auto"},
            # Servers other than AWS's reject or ignore the checksums that botocore adds by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        options: dict[str, Any] = {"config": config, "endpoint_url": bucket.endpoint}
        options["region_name"] = bucket.region or ("us-east-1" if bucket.endpoint else None)
        if bucket.access_key and bucket.secret_key:
            options["aws_access_key_id"] = bucket.access_key.reveal()
            options["aws_secret_access_key"] = bucket.secret_key.reveal()
        if bucket.ca_file:
            options["verify"] = str(bucket.ca_file)
        with self._lock:  # making a client is not safe in several threads at once
            return boto3.session.Session().client("s3", **options)

    @contextlib.contextmanager
    def faults(self, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise self._fault(name, _code(error), error.response["Error"].get("Message", "")) from error
        except BotoCoreError as error:
            raise SystemFault(
                "the store can't be reached",
                reason=Reason.UNREACHABLE,
                where=f"{self}/{name}",
                found=str(error),
                mend="check [store] in the inventory, and whether this machine may reach it",
            ) from error

    def _fault(self, name: str, code: str, message: str) -> SystemFault:
        where, found = f"{self}/{name}", f"{code}: {message}"
        if code == "NoSuchBucket":
            mend = f"create the bucket {self.bucket.name}, with versioning and no public access"
            return SystemFault("the store's bucket does not exist", reason=Reason.FAILED, where=where, mend=mend)
        if code in REFUSED:
            mend = "check the keys that store.access_key and store.secret_key name, and what they may do"
            return SystemFault("the store refuses us", reason=Reason.UNAUTHORISED, where=where, found=found, mend=mend)
        if code == "RequestTimeTooSkewed":
            mend = "set this machine's clock (timedatectl); the store refuses what is signed at another time"
            return SystemFault("the store refuses us", reason=Reason.REFUSED, where=where, found=found, mend=mend)
        return SystemFault("the store failed", reason=Reason.FAILED, where=where, found=found)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
