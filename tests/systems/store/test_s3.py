from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.sandbox import object_store_server, ports
from runbooks.sandbox.process_manager import ensure_manager
from runbooks.systems.store.s3 import PROOF, Bucket, S3Store
from tests.sandbox.servers import fresh_layout
from tests.servers import LOOPBACK, Reply, Request, closed_port, http


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    """A bucket of a real object store."""
    with fresh_layout() as layout:
        numbers = ports.ensure(layout, [ports.OBJECT_STORE, *ports.OBJECT_STORE_PARTS])
        ensure_manager(layout, [object_store_server.prepare(layout, numbers)])
        object_store_server.ready(layout, numbers[ports.OBJECT_STORE])
        yield object_store_server.store(layout, numbers[ports.OBJECT_STORE], "local").bucket


def fault_of(store: S3Store) -> SystemFault:
    with pytest.raises(SystemFault) as reading:
        store.get("x")
    with pytest.raises(SystemFault) as caught:
        store.put("x", b"1", replaces=None)
    assert reading.value.reason is caught.value.reason
    return caught.value


def test_a_wrong_secret_is_refused_and_not_told(bucket: Bucket) -> None:
    wrong = Secret("object store", "a-wrong-secret-key")
    fault = fault_of(S3Store(dataclasses.replace(bucket, secret_key=wrong)))

    assert fault.reason is Reason.UNAUTHORISED
    assert "store.secret_key" in fault.mend
    assert wrong.reveal() not in f"{fault.what} {fault.where} {fault.found} {fault.mend}"


def test_a_bucket_that_is_not_there_is_named(bucket: Bucket) -> None:
    fault = fault_of(S3Store(dataclasses.replace(bucket, name="no-such-bucket")))

    assert "bucket does not exist" in fault.what
    assert "no-such-bucket" in fault.mend


def test_a_server_that_is_not_there_is_unreachable(bucket: Bucket) -> None:
    away = dataclasses.replace(bucket, endpoint=f"http://{LOOPBACK}:{closed_port()}", seconds=1)
    fault = fault_of(S3Store(away))

    assert fault.reason is Reason.UNREACHABLE
    assert str(away.endpoint) in fault.where


def test_a_server_that_ignores_conditions_holds_no_lease(bucket: Bucket) -> None:
    def takes_anything(_request: Request) -> Reply:
        return Reply(200, headers={"ETag": '"1"'})

    with http(takes_anything) as port, pytest.raises(SystemFault, match="ignores conditional writes"):
        S3Store(dataclasses.replace(bucket, endpoint=f"http://{LOOPBACK}:{port}")).put("lease", b"me", replaces=None)


def test_a_put_whose_answer_was_lost_is_known_as_ours(bucket: Bucket) -> None:
    """The server stored it and then failed; the second try meets our own object."""
    seen: list[str] = []

    def loses_the_first_answer(request: Request) -> Reply:
        if request.command == "GET":
            return Reply(200, b"mine", {"ETag": '"1"'})
        if PROOF in request.path:
            return Reply(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        seen.append(request.command)
        if len(seen) == 1:
            return Reply(500, b"<Error><Code>InternalError</Code></Error>")
        return Reply(412, b"<Error><Code>PreconditionFailed</Code></Error>")

    with http(loses_the_first_answer) as port:
        store = S3Store(dataclasses.replace(bucket, endpoint=f"http://{LOOPBACK}:{port}"))
        assert store.put("lease", b"mine", replaces=None) == '"1"'
        seen.clear()
        assert store.put("lease", b"another's", replaces=None) is None
    assert seen == ["PUT", "PUT"]
