"""What an environment declares of its store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runbooks.environment.problem import Problem
from runbooks.environment.value import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where runs, releases, snapshots and leases are kept: a folder, or a bucket that all operators share.

    Attributes:
        folder: A folder; after loading absolute, and set unless there is a bucket.
        bucket: The name of a bucket, instead of a folder.
        prefix: What every object's key in the bucket begins with.
        endpoint: The URL of a server that speaks S3's protocol; None means AWS.
        region: The bucket's region; None leaves it to AWS's own configuration.
        ca_file: PEM file of the authority that signed the endpoint's certificate.
        access_key: With ``secret_key``, the account that is used; None leaves it to AWS's own configuration.
        secret_key: That account's secret.
    """

    folder: Path | None = None
    bucket: str | None = None
    prefix: str = ""
    endpoint: Value | None = None
    region: str | None = None
    ca_file: Path | None = None
    access_key: Value | None = None
    secret_key: Value | None = None


def problems(store: Store) -> Iterator[Problem]:
    """What contradicts itself."""
    only_bucket = ("prefix", "endpoint", "region", "ca_file", "access_key", "secret_key")
    if store.bucket is None:
        for key in only_bucket:
            if getattr(store, key):
                mend = "add store.bucket, or remove it"
                yield Problem(("store", key), f"'store.{key}' has no use without a bucket", mend=mend)
    elif store.folder:
        mend = "keep the one that all operators can reach"
        yield Problem(("store", "folder"), "a store is a folder or a bucket, not both", mend=mend)
    if (store.access_key is None) != (store.secret_key is None):
        missing = "secret_key" if store.secret_key is None else "access_key"
        mend = f"add store.{missing}, or remove the other"
        yield Problem(("store",), f"'store.{missing}' is missing: the two belong together", mend=mend)
    if isinstance(store.secret_key, str):
        mend = 'move it to the [secrets] source and write { secret = "STORE_SECRET" } here'
        yield Problem(("store", "secret_key"), "'store.secret_key' is a secret; secrets are only named here", mend=mend)
    if store.prefix.startswith("/") or store.prefix.endswith("/"):
        yield Problem(("store", "prefix"), "'store.prefix' begins or ends with a slash", mend="remove the slash")
