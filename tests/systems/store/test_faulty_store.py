"""Uploads to a store that refuses, is slow, cuts connections or does not know what we say."""

from __future__ import annotations

import io
import secrets
import time

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.sandbox import object_store_server, ports
from runbooks.sandbox.world import Sandbox
from runbooks.systems.store.objects import Digest, digest_of
from runbooks.systems.store.s3 import Bucket, S3Store
from runbooks.systems.store.s3_objects import MOST_PARTS, SMALLEST_PART, S3Objects, _parts
from tests.faulty_store import Misbehaving, behind, cut, is_part, refusal
from tests.servers import Reply, Request

BODY = secrets.token_bytes(2 * SMALLEST_PART + 1000)


@pytest.fixture
def bucket(sandbox: Sandbox) -> Bucket:
    port = sandbox.numbers()[ports.OBJECT_STORE]
    return object_store_server.store(sandbox.layout, port, "local", f"faulty-{secrets.token_hex(4)}").bucket


def upload(bucket: Bucket, misbehaving: Misbehaving, body: bytes = BODY) -> Digest:
    with behind(bucket, misbehaving) as other:
        return S3Objects(S3Store(other)).upload("snapshots/a/data", io.BytesIO(body), expected=len(body))


def nothing_is_there(bucket: Bucket) -> bool:
    """No object, and no part of one that an operator would pay for."""
    store = S3Store(bucket)
    uploads = store.client.list_multipart_uploads(Bucket=bucket.name, Prefix=store.key("")).get("Uploads", ())
    return list(store.names("")) == [] and list(uploads) == []


class First:
    """Misbehaves for the first parts, then no more."""

    def __init__(self, times: int, how: Misbehaving) -> None:
        self.left, self.how = times, how

    def __call__(self, request: Request) -> Reply | None:
        if not is_part(request) or not self.left:
            return None
        self.left -= 1
        return self.how(request)


@pytest.mark.case(51)
@pytest.mark.parametrize("how", [lambda _request: refusal("SlowDown", 503), cut], ids=["refused", "cut"])
def test_a_part_that_fails_is_sent_again(bucket: Bucket, how: Misbehaving) -> None:
    upload(bucket, First(1, how))

    assert digest_of(S3Objects(S3Store(bucket)).download("snapshots/a/data")).size == len(BODY)


def test_a_slow_store_is_waited_for(bucket: Bucket) -> None:
    def slow(_request: Request) -> None:
        time.sleep(0.5)

    assert upload(bucket, slow).size == len(BODY)


@pytest.mark.case(52)
def test_credentials_that_expire_half_way_are_told(bucket: Bucket) -> None:
    seen: list[str] = []

    def expires(request: Request) -> Reply | None:
        seen.append(request.path)
        return refusal("ExpiredToken") if len(seen) > 2 else None

    with pytest.raises(SystemFault) as caught:
        upload(bucket, expires)

    assert "ExpiredToken" in caught.value.found
    assert caught.value.reason is Reason.UNAUTHORISED
    assert "store.access_key" in caught.value.mend
    assert S3Objects(S3Store(bucket)).size("snapshots/a/data") is None


@pytest.mark.case(53)
@pytest.mark.parametrize("how", [lambda _request: refusal("SlowDown", 503), cut], ids=["refuses", "cuts"])
def test_a_store_that_takes_no_part_leaves_nothing(bucket: Bucket, how: Misbehaving) -> None:
    with pytest.raises(SystemFault):
        upload(bucket, First(100, how))

    assert nothing_is_there(bucket)


@pytest.mark.case(56)
@pytest.mark.parametrize("code", ["NotImplemented", "InvalidRequest"])
def test_a_store_that_knows_no_checksums_is_named_and_takes_nothing(bucket: Bucket, code: str) -> None:
    def refuses_checksums(request: Request) -> Reply | None:
        names = {name.lower() for name in request.headers}
        unknown = "x-amz-trailer" in names or any(name.startswith("x-amz-checksum") for name in names)
        return refusal(code, 501 if code == "NotImplemented" else 400) if unknown else None

    with pytest.raises(SystemFault) as caught:
        upload(bucket, refuses_checksums)

    assert code in caught.value.found
    assert nothing_is_there(bucket)


@pytest.mark.case(57)
@pytest.mark.parametrize("expected", [0, 1, SMALLEST_PART, 100 << 30, 5 << 40])
def test_no_object_has_more_parts_than_stores_take(expected: int) -> None:
    """A stream of which a tenth more comes than was expected, too; a part has 5 GiB at most."""
    part = _parts(expected).multipart_chunksize

    assert SMALLEST_PART <= part <= 5 << 30
    assert expected * 1.1 / part <= 10_000
    assert MOST_PARTS < 10_000


@pytest.mark.case(58)
def test_a_clock_that_is_wrong_is_named(bucket: Bucket) -> None:
    with pytest.raises(SystemFault) as caught:
        upload(bucket, lambda _request: refusal("RequestTimeTooSkewed"))

    assert "RequestTimeTooSkewed" in caught.value.found
    assert "clock" in caught.value.mend
