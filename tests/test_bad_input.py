"""What an operator is told when something that he owns, or that he asks, is wrong: what, where, found, next."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runbooks.sandbox.layout import SERVICE_USER, can_enter
from runbooks.sandbox.world import Sandbox
from tests import servers
from tests.conftest import CHECKOUT
from tests.servers import Reply, Request
from tests.shops import Shop, fronted, private, wait_for

TRACEBACK = "Traceback (most recent call last)"
REGISTER = "/api/v1/auth/register"


def refused(shop: Shop, *words: str, code: int = 2) -> str:
    """What is said where a run must not even begin."""
    before = shop.users()
    status, out, error = shop.verify(*words)
    assert (status, out, TRACEBACK in error) == (code, "", False), error
    assert not list(shop.runs.glob("*/journal.jsonl")), "nothing is half done"
    assert shop.users() == before
    return error


# The inventory


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("schema = ", "environment.toml:1"),
        ("", "is empty"),
        ("schema = 2\n", "environment.toml:1"),
        ("schema = 1\napplicaton = 1\n", "applicaton"),
        ("schema = 1\n[application]\nurl = 'ftp://x'\n", "environment.toml:"),
    ],
)
def test_a_damaged_inventory_is_told_by_file_and_line(text: str, shows: str, shop: Shop) -> None:
    (shop.folder / "environment.toml").write_text(text)

    assert shows in refused(shop)


def test_a_missing_file_and_a_missing_inventory_are_told(shop: Shop) -> None:
    (shop.folder / "environment.toml").unlink()
    assert "has no environment.toml" in refused(shop)

    shutil.rmtree(shop.project / "inventory")
    assert "inventory can't be read" in refused(shop)


# Files with secrets


def test_a_file_of_variables_that_others_can_read_is_refused(shop: Shop) -> None:
    (shop.folder / "variables.env").chmod(0o644)

    error = refused(shop)

    assert "open to other users" in error
    assert "mode 0644, wanted 0600" in error
    assert f"chmod 600 {shop.folder}/variables.env" in error


@pytest.mark.parametrize("name", ["variables.env", "operator.env"])
def test_a_missing_file_of_values_is_told(name: str, shop: Shop) -> None:
    (shop.folder / name).unlink()

    assert "a secrets file is missing" in refused(shop)


def test_a_file_of_variables_that_can_not_be_opened_is_told(shop: Shop) -> None:
    path = shop.folder / "variables.env"
    path.unlink()
    path.symlink_to(path)  # a loop can't be opened by anybody, root included

    assert "a secrets file can't be opened" in refused(shop)


def test_a_value_that_is_missing_is_told_with_its_key(shop: Shop) -> None:
    del shop.operator["APPLICATION_URL"]
    shop.write()

    assert "'application.url' needs APPLICATION_URL, which is missing in [secrets]" in refused(shop)


def test_an_error_on_its_way_out_shows_no_secret(shop: Shop) -> None:
    shop.write(APPLICATION_URL="http://shop:Zx81-hidden-word@[::1")

    _, out, error = shop.verify()

    assert "Zx81-hidden-word" not in out + error
    assert TRACEBACK not in error


# Where the application is meant to be


def unknown_application(shop: Shop) -> tuple[dict[str, str], int]:
    """What is found by the checks that need the application, which must not be known; and the exit code."""
    code, checks, _ = shop.checks("--only", "health.database,accounts.login,final.health")
    assert {check["verdict"] for check in checks.values()} == {"unknown"}
    return {id: check["found"] for id, check in checks.items()}, code


def test_a_refused_application_is_unknown(shop: Shop) -> None:
    shop.write(APPLICATION_URL=f"http://{servers.LOOPBACK}:{servers.closed_port()}")

    found, code = unknown_application(shop)

    assert code == 4
    assert "can't be reached" in found["health.database"]


def test_a_hanging_application_is_unknown_in_bounded_time(shop: Shop) -> None:
    shop.more = "[checks]\ntimeout_seconds = 1.0\n"
    with servers.silent() as port:
        shop.write(APPLICATION_URL=f"http://{servers.LOOPBACK}:{port}")
        found, code = unknown_application(shop)

    assert code == 4
    assert "no answer in time" in found["health.database"]


def test_an_expired_certificate_is_told(shop: Shop, tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path, days=-1)
    shop.application += f'\nca_file = "{authority}"'
    with servers.http(lambda _: Reply.json({}), tls) as port:
        shop.write(APPLICATION_URL=f"https://{servers.LOOPBACK}:{port}")
        found, code = unknown_application(shop)

    assert code == 4
    assert "expired" in found["health.database"]


def test_html_from_somebody_else_is_not_taken_for_the_application(shop: Shop) -> None:
    page = Reply(200, b"<html>Welcome to the proxy</html>", {"content-type": "text/html"})
    with servers.http(lambda _: page) as port:
        shop.write(APPLICATION_URL=f"http://{servers.LOOPBACK}:{port}")
        code, checks, _ = shop.checks("--only", "health.database,accounts.login,environment.dev-cors-off")

    assert code in (3, 4)
    assert checks["health.database"]["verdict"] == "unknown"
    assert "Welcome to the proxy" in checks["health.database"]["found"]
    assert checks["accounts.login"]["verdict"] in ("failed", "unknown")


def test_a_redirect_is_not_taken_for_health(shop: Shop) -> None:
    with servers.http(lambda _: Reply(301, b"", {"location": "https://elsewhere.example.org"})) as port:
        shop.write(APPLICATION_URL=f"http://{servers.LOOPBACK}:{port}")
        code, checks, _ = shop.checks("--only", "health.app,health.database")

    assert code == 3
    assert "HTTP 301" in checks["health.app"]["found"]


@pytest.mark.parametrize("answer", [[], None, {"id": "7"}, {"id": True}, {}])
def test_a_registration_that_answers_rubbish_costs_no_other_check_and_leaves_no_user(
    answer: object, shop: Shop
) -> None:
    before = shop.users()

    def rubbish(request: Request) -> Reply | None:
        front.instead.pop(REGISTER)  # once
        assert front.answer(request)
        return Reply.json(answer, 201)

    with fronted(shop) as front:
        front.instead[REGISTER] = rubbish
        code, checks, report = shop.checks("--only", "accounts.login,health.database")

    assert code == 4, report["error"]
    assert checks["accounts.login"]["verdict"] == "unknown"
    assert "crashed" not in checks["accounts.login"]["found"]
    assert checks["health.database"]["verdict"] == "passed"
    assert shop.users() == before


@pytest.mark.parametrize("value", [[], {"status": ["ok"]}])
def test_rubbish_from_every_page_crashes_no_check(value: object, shop: Shop) -> None:
    with servers.http(lambda _: Reply.json(value)) as port:
        shop.write(APPLICATION_URL=f"http://{servers.LOOPBACK}:{port}")
        code, checks, _ = shop.checks()

    assert code in (3, 4)
    assert [id for id, check in checks.items() if "crashed" in (check["found"] or "")] == []


def test_a_huge_answer_fills_no_memory(shop: Shop) -> None:
    def flood(request: Request) -> None:
        request.send_response(200)
        request.send_header("content-length", str(200 * 1024**2))
        request.end_headers()
        for _ in range(3200):
            request.wfile.write(b"x" * 65536)

    script = (
        "from pathlib import Path; from runbooks import command; from runbooks.options import Options\n"
        "command.start('release.verify', Options(environment='shop', parameters={'only': 'health.database'}))\n"
        "print('PEAK', Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n"
    )
    with servers.http(flood) as port:
        shop.write(APPLICATION_URL=f"http://{servers.LOOPBACK}:{port}")
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=CHECKOUT,
            env=shop.shell.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert "far larger" in done.stdout, done.stderr
    assert int(done.stdout.split("PEAK")[1]) < 150 * 1024, "KiB"


# Servers behind it


@pytest.mark.parametrize("hangs", [False, True])
def test_a_database_that_is_down_keeps_the_verdict_and_names_who_is_left(hangs: bool, shop: Shop) -> None:
    real = shop.operator["DATABASE_URL"]
    before = shop.users()

    def elsewhere(port: int) -> None:
        shop.write(DATABASE_URL=f"postgresql://u:hidden-word@{servers.LOOPBACK}:{port}/shop")

    if hangs:
        with servers.silent() as port:
            elsewhere(port)
            code, checks, report = shop.checks("--only", "postgres.pgvector,health.database,accounts.login")
    else:
        elsewhere(servers.closed_port())
        code, checks, report = shop.checks("--only", "postgres.pgvector,health.database,accounts.login")

    assert code == 4
    assert checks["postgres.pgvector"]["verdict"] == "unknown"
    assert checks["health.database"]["verdict"] == "passed", "the application has its own way there"
    step = report["steps"][-1]
    assert "hidden-word" not in json.dumps(report)
    assert "DELETE /users/me" in step["text"] or "could not be erased" in step["text"]

    shop.write(DATABASE_URL=real)
    shop.checks("--only", "accounts.login")
    assert shop.users() == before, "what stayed is erased as soon as the database is there again"


def test_a_read_only_database_is_told_and_names_the_user_who_stays(shop: Shop, sandbox: Sandbox) -> None:
    """A user whom a killed run left; the operator's role may not write; the next run that may, erases him."""
    before = shop.users()
    leave_a_user(shop)
    assert shop.users() == before + 1
    url = shop.operator["DATABASE_URL"]
    shop.write(DATABASE_URL=f"{url}?options=-c%20default_transaction_read_only%3Don")
    with sandbox.superuser("local") as connection:
        connection.execute("ALTER DATABASE praviel_local SET default_transaction_read_only = on")
    try:
        _, _, report = shop.checks("--only", "postgres.pgvector,accounts.login")
    finally:
        with sandbox.superuser("local") as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER DATABASE praviel_local RESET default_transaction_read_only")

    step = report["steps"][-1]
    assert step["outcome"] == "failed"
    assert "could not be erased" in step["text"]
    assert "@checks.praviel.test" in step["text"]
    assert "test users may be left" in report["line"]

    shop.write(DATABASE_URL=url)
    shop.checks("--only", "accounts.login")
    assert shop.users() == before


def leave_a_user(shop: Shop) -> None:
    """A run that is killed while its checks are asked."""
    with fronted(shop, "/health/db") as front:
        process = shop.shell.start("release.verify", "--env", shop.name, "--only", "accounts.login,health.database")
        assert front.held.wait(30)
        wait_for(lambda: any(record["kind"] == "created-user" for record in shop.records()), "the user")
        process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("hangs", [False, True])
def test_redis_that_is_down_is_unknown(hangs: bool, shop: Shop) -> None:
    if hangs:
        with servers.silent() as port:
            shop.write(REDIS_URL=f"redis://:hidden-word@{servers.LOOPBACK}:{port}/0")
            code, checks, report = shop.checks("--only", "redis.persistent,redis.password")
    else:
        shop.write(REDIS_URL=f"redis://:hidden-word@{servers.LOOPBACK}:{servers.closed_port()}/0")
        code, checks, report = shop.checks("--only", "redis.persistent,redis.password")

    assert code == 4
    assert {check["verdict"] for check in checks.values()} == {"unknown"}
    assert "hidden-word" not in json.dumps(report)


# Run logs


def test_a_damaged_journal_is_not_resumed_and_the_audit_finds_it(shop: Shop) -> None:
    leave_a_user(shop)
    journal = next(shop.runs.glob("*/journal.jsonl"))
    whole = journal.read_text()
    journal.write_text(whole.replace('"sandbox": false', '"sandbox": true', 1))

    resumed = shop.shell.invoke("runs.resume", journal.parent.name, "--env", shop.name)
    audited = shop.shell.invoke("runs.audit", "--env", shop.name)
    shown = shop.shell.invoke("runs.show", journal.parent.name, "--env", shop.name)

    assert resumed.returncode == 2
    assert "changed after it was written" in resumed.stderr
    assert "journal.jsonl:1" in resumed.stderr
    assert (audited.returncode, "its hash does not match" in audited.stdout) == (3, True)
    assert shown.returncode == 2
    assert TRACEBACK not in resumed.stderr + audited.stderr + shown.stderr

    journal.write_text(whole)
    shop.checks("--only", "accounts.login")


def test_a_cut_journal_is_found_by_the_audit(shop: Shop) -> None:
    shop.verify("--only", "environment.is-production")
    journal = next(shop.runs.glob("*/journal.jsonl"))
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-2]))

    audited = shop.shell.invoke("runs.audit", "--env", shop.name)

    assert (audited.returncode, "cut after record" in audited.stdout) == (3, True)


def test_a_folder_that_can_not_be_written_is_told_before_anything_is_done(shop: Shop) -> None:
    (shop.project / "var").write_text("a file where a folder must be")

    status, out, error = shop.verify("--only", "accounts.login")

    assert status in (1, 2, 7)
    assert (out, TRACEBACK in error) == ("", False)
    assert "journal.jsonl" in error
    assert "next:" in error


@pytest.mark.parametrize(("bytes_left", "begun"), [(300, False), (3500, True), (6000, True)])
def test_no_space_for_the_run_log_stops_the_run_and_leaves_no_user_without_record(
    bytes_left: int, begun: bool, shop: Shop
) -> None:
    before = shop.users()
    script = (
        "import resource, runpy, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_left}, {bytes_left}))\n"
        "sys.argv = ['invoke', 'release.verify', '--env', 'shop', '--only', 'accounts.login,health.database']\n"
        "runpy.run_module('invoke', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=shop.shell.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 7, done.stderr
    assert "can't be written" in done.stderr
    assert ("Register a throw-away user" in done.stdout) == begun
    assert TRACEBACK not in done.stderr
    assert shop.users() in (before, before + 1)

    shop.checks("--only", "accounts.login")
    assert shop.users() == before, "its address was on disk ahead of it"


def _python_for_anybody() -> str:
    """Our interpreter, if another user can run it."""
    if not can_enter(Path(sys.executable).resolve().parent, SERVICE_USER):
        pytest.skip(f"{SERVICE_USER} can't run {sys.executable}")
    return sys.executable


def test_a_file_of_another_user_is_refused(shop: Shop) -> None:
    """As root: the file is read by another user. Otherwise there is no file that we may open and do not own."""
    path = shop.folder / "variables.env"
    private(path, shop.variables)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if os.geteuid() != 0:
        path.chmod(0o000)
        assert "can't be opened" in refused(shop)
        return
    program = (
        "from pathlib import Path\n"
        "from runbooks.systems.secrets.dotenv import read_private\n"
        f"read_private(Path({str(path)!r}))\n"
    )
    done = subprocess.run(
        [_python_for_anybody(), "-c", program], cwd=CHECKOUT, user=65534, capture_output=True, text=True, check=False
    )
    assert "a secrets file can't be opened" in done.stderr


def test_a_third_environment_ends_the_default(shop: Shop) -> None:
    for name in ("local", "local-staging"):
        shutil.copytree(CHECKOUT / "inventory" / name, shop.project / "inventory" / name)

    done = shop.shell.invoke("release.verify")

    assert done.returncode == 2
    assert "several environments exist" in done.stderr
    assert "local, local-staging, shop" in done.stderr
