"""Faults of Redis that take more than a setting."""

from __future__ import annotations

from runbooks.engine.wait import until
from runbooks.sandbox import ports, valkey_server
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.world import Sandbox


def _block_snapshots(sandbox: Sandbox) -> None:
    """Put a folder where the snapshot file goes: writing it then fails, whoever the server runs as."""
    snapshot = sandbox.layout.valkey_data / "dump.rdb"
    if snapshot.is_file():
        snapshot.unlink()  # the append-only file holds the data; mending writes a new snapshot
    (snapshot / "in-the-way").mkdir(parents=True, exist_ok=True)
    _save(sandbox, "err")


def _unblock_snapshots(sandbox: Sandbox) -> None:
    snapshot = sandbox.layout.valkey_data / "dump.rdb"
    for folder in (snapshot / "in-the-way", snapshot):
        if folder.is_dir():
            folder.rmdir()
    _save(sandbox, "ok")


def _save(sandbox: Sandbox, wanted: str) -> None:
    with sandbox.valkey(LOCAL) as client:

        def ended() -> bool:
            info = client.info("persistence")
            if not info["rdb_bgsave_in_progress"] and info["rdb_last_bgsave_status"] != wanted:
                client.bgsave()
            return bool(info["rdb_last_bgsave_status"] == wanted)

        until(ended, seconds=20, what=f"Redis did not come to rdb_last_bgsave_status:{wanted}")


def _drop_password(sandbox: Sandbox) -> None:
    with sandbox.valkey(LOCAL) as client:
        client.execute_command("ACL SETUSER", "default", "nopass")  # type: ignore[no-untyped-call]


def _set_password(sandbox: Sandbox) -> None:
    import redis

    secret = valkey_server.password(sandbox.layout).reveal()
    with redis.Redis(host=ports.LOOPBACK, port=sandbox.numbers()[ports.VALKEY]) as client:
        try:
            client.execute_command("ACL SETUSER", "default", "resetpass", f">{secret}")
        except redis.AuthenticationError:
            return  # it is set


SAVE_FAILS = Means(_block_snapshots, _unblock_snapshots)
NO_PASSWORD = Means(_drop_password, _set_password)
