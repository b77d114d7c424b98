"""An environment whose store is a bucket: runs leave their last hash there, where other operators see it."""

from __future__ import annotations

from runbooks.sandbox import object_store_server, ports
from tests.shops import Shop


def test_a_run_is_anchored_in_the_bucket_and_an_edit_is_found(shop: Shop) -> None:
    sandbox = shop.sandbox
    port = sandbox.numbers()[ports.OBJECT_STORE]
    prefix = shop.project.name
    shop.more = f"""
[store]
bucket = "{object_store_server.bucket_name("local")}"
prefix = "{prefix}"
endpoint = "http://{ports.LOOPBACK}:{port}"
region = "{object_store_server.REGION}"
access_key = {{ secret = "STORE_ACCESS" }}
secret_key = {{ secret = "STORE_SECRET" }}
"""
    secret = object_store_server.secret_key(sandbox.layout).reveal()
    shop.write(STORE_ACCESS=object_store_server.ACCESS_KEY, STORE_SECRET=secret)

    code, out, error = shop.verify("--only", "secrets.jwt-key-strong")

    assert code == 0, out + error
    assert list(object_store_server.store(sandbox.layout, port, "local", prefix).names(""))
    assert shop.shell.invoke("runs.audit", "--env", shop.name).returncode == 0
    journal = next(shop.runs.glob("*/journal.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    audited = shop.shell.invoke("runs.audit", "--env", shop.name)
    assert audited.returncode == 3, audited.stdout + audited.stderr
    assert secret not in audited.stdout + audited.stderr + journal.read_text()
