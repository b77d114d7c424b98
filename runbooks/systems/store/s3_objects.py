"""Large objects in a bucket: multipart uploads whose parts the server checks against their SHA-256."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.store.objects import PIECE, Counting, Digest
from runbooks.systems.store.s3 import S3Store

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig
    from s3transfer.manager import TransferManager

SMALLEST_PART = 5 << 20
MOST_PARTS = 9000
"""S3 takes 10 000; a stream may become longer than was expected."""
PARTS_IN_FLIGHT = 2
TRIES = 3


class S3Objects:
    """Beside the small objects of the same bucket and prefix."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._managers: dict[int, TransferManager] = {}
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return str(self._store)

    def upload(self, name: str, source: BinaryIO, *, expected: int) -> Digest:
        from boto3.exceptions import Boto3Error

        counting = Counting(source)
        store = self._store
        with store.faults(name):
            try:
                self._manager(expected).upload(
                    cast("BinaryIO", counting),
                    store.bucket.name,
                    store.key(name),
                    extra_args={"ChecksumAlgorithm": "SHA256"},
                ).result()
            except Boto3Error as error:
                raise SystemFault(
                    "the store did not take an object",
                    reason=Reason.FAILED,
                    where=f"{store}/{name}",
                    found=str(error),
                    mend="see the store's space, rights and limits, then try again",
                ) from error
            digest = counting.digest
            size = self.size(name)
        if size != digest.size:
            found = f"{size} bytes of {digest.size}"
            raise SystemFault("the store cut an upload", reason=Reason.BAD_ANSWER, where=f"{store}/{name}", found=found)
        return digest

    def _manager(self, expected: int) -> TransferManager:
        """One for all uploads at a time: each would otherwise bring threads, and memory, of its own."""
        from boto3.s3.transfer import create_transfer_manager

        config = _parts(expected)
        with self._lock:
            if config.multipart_chunksize not in self._managers:
                self._managers[config.multipart_chunksize] = create_transfer_manager(self._store.client, config)
            return self._managers[config.multipart_chunksize]

    def download(self, name: str) -> Iterator[bytes]:
        store, done = self._store, 0
        for attempt in range(1, TRIES + 1):
            with store.faults(name):
                try:
                    for piece in self._pieces(name, done):
                        done += len(piece)
                        yield piece
                except ConnectionError as error:
                    if attempt == TRIES:
                        raise SystemFault(
                            "the store cut a download",
                            reason=Reason.UNREACHABLE,
                            where=f"{store}/{name}",
                            found=f"{done} bytes came; {error}",
                        ) from error
                else:
                    return

    def _pieces(self, name: str, begin: int) -> Iterator[bytes]:
        from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        store = self._store
        where: dict[str, Any] = {"Range": f"bytes={begin}-"} if begin else {}
        answer = store.client.get_object(Bucket=store.bucket.name, Key=store.key(name), **where)
        try:
            yield from answer["Body"].iter_chunks(PIECE)
        except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError) as error:
            raise ConnectionError(str(error)) from error

    def size(self, name: str) -> int | None:
        from botocore.exceptions import ClientError

        store = self._store
        with store.faults(name):
            try:
                answer = store.client.head_object(Bucket=store.bucket.name, Key=store.key(name))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return None
                raise
            return int(answer["ContentLength"])

    def remove(self, prefix: str) -> int:
        store, bucket = self._store, self._store.bucket.name
        self.abandon(prefix)
        with store.faults(prefix):
            names = list(store.names(prefix))
            for name in names:
                store.client.delete_object(Bucket=bucket, Key=store.key(name))
        return len(names)

    def unfinished(self, prefix: str) -> list[str]:
        root = self._store.key("")
        return sorted(key.removeprefix(root) for key, _ in self._uploads(prefix))

    def abandon(self, prefix: str) -> int:
        store, found = self._store, self._uploads(prefix)
        with store.faults(prefix):
            for key, id in found:
                store.client.abort_multipart_upload(Bucket=store.bucket.name, Key=key, UploadId=id)
        return len(found)

    def _uploads(self, prefix: str) -> list[tuple[str, str]]:
        """The multipart uploads that were neither completed nor aborted, by key and id."""
        store = self._store
        with store.faults(prefix):
            pages = store.client.get_paginator("list_multipart_uploads")
            found = pages.paginate(Bucket=store.bucket.name, Prefix=store.key(prefix))
            return [(upload["Key"], upload["UploadId"]) for page in found for upload in page.get("Uploads", ())]


def _parts(expected: int) -> TransferConfig:
    from boto3.s3.transfer import TransferConfig

    part = max(SMALLEST_PART, -(-expected // MOST_PARTS))
    config = TransferConfig(multipart_threshold=part, multipart_chunksize=part, max_concurrency=PARTS_IN_FLIGHT)
    config.max_in_memory_upload_chunks = PARTS_IN_FLIGHT  # these two of s3transfer's own class
    config.max_submission_concurrency = 1  # threads that read ahead, a part each
    return config
