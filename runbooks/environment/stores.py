"""Opens the store that an environment declares, for small objects and for large ones."""

from __future__ import annotations

from runbooks.engine.secret import Secret
from runbooks.engine.store import Store
from runbooks.environment.model import Environment
from runbooks.environment.resolve import Values
from runbooks.environment.value import Value
from runbooks.systems.snapshots.shelf import Shelf
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.store.objects import Objects


def open_store(environment: Environment, values: Values) -> Store:
    """The environment's store.

    Raises:
        InputError: the keys of its account can't be read.
    """
    return open_shelf(environment, values).store


def open_shelf(environment: Environment, values: Values) -> Shelf:
    """The environment's snapshots. Raises InputError as `open_store`."""
    declared = environment.store
    if declared.folder:
        from runbooks.systems.store.folder_objects import FolderObjects

        return Shelf(FolderStore(declared.folder), FolderObjects(declared.folder))
    assert declared.bucket, "loading fills one of the two in"
    from runbooks.systems.store.s3 import Bucket, S3Store
    from runbooks.systems.store.s3_objects import S3Objects

    def named(key: str, value: Value | None) -> Secret | None:
        return None if value is None else values.resolve(value, f"store.{key}")

    endpoint = named("endpoint", declared.endpoint)
    store = S3Store(
        Bucket(
            name=declared.bucket,
            prefix=declared.prefix,
            endpoint=endpoint.reveal() if endpoint else None,
            region=declared.region,
            ca_file=declared.ca_file,
            access_key=named("access_key", declared.access_key),
            secret_key=named("secret_key", declared.secret_key),
        )
    )
    objects: Objects = S3Objects(store)
    return Shelf(store, objects)
