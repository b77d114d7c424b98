"""Ctrl-C, SIGTERM and kill -9 during release.verify: in every phase the log reads, and no test user stays."""

from __future__ import annotations

import signal
import subprocess

import pytest

from runbooks.sandbox.world import Sandbox
from tests.servers import Request
from tests.shops import Shop, fronted, wait_for

WHAT = ("--only", "accounts.login,health.database,health.app")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


def begin(shop: Shop, *words: str) -> subprocess.Popen[str]:
    return shop.shell.start("release.verify", "--env", shop.name, *(words or WHAT))


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=60)
    assert "Traceback" not in error
    return process.returncode, out, error


def log_of(shop: Shop) -> str:
    return next(shop.runs.glob("*/log.md")).read_text()


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_before_the_run_nothing_is_begun(number: signal.Signals, status: int, shop: Shop) -> None:
    marker = shop.folder / "asked"
    declared = (shop.folder / "environment.toml").read_text()
    command = f'source = "command"\ncommand = ["sh", "-c", "echo $$ > {marker}; exec sleep 60"]'
    (shop.folder / "environment.toml").write_text(
        declared.replace('source = "dotenv"\npath = "variables.env"', command)
    )
    process = begin(shop)
    wait_for(lambda: marker.exists() and marker.read_text().strip(), "the variables to be asked for")

    process.send_signal(number)
    code, out, error = ended(process)

    # SIGTERM ends the process by itself there, which a shell reports as 143.
    assert code in (status, -number), out + error
    assert not shop.runs.exists()
    if number == signal.SIGINT:
        assert "stopped before anything was begun" in out + error
    else:  # the command is a child of its own session, which a SIGTERM to us does not reach
        subprocess.run(["kill", marker.read_text().strip()], check=True)


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_while_checks_run_what_hangs_is_left_and_the_user_erased(
    number: signal.Signals, status: int, shop: Shop
) -> None:
    before = shop.users()
    with fronted(shop, "/health/db") as front:
        process = begin(shop)
        assert front.held.wait(30)
        wait_for(lambda: any(record["kind"] == "created-user" for record in shop.records()), "the user")

        process.send_signal(number)
        code, out, _ = ended(process)

    assert code == status
    assert "not any more" in out
    assert f"stopped by {number.name}" in log_of(shop)
    assert shop.users() == before
    assert shop.records()[-1]["data"]["exit_code"] == status
    assert shop.shell.invoke("runs.audit", "--env", shop.name).returncode == 0


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_during_the_clean_up_it_is_finished_first(
    number: signal.Signals, status: int, shop: Shop, sandbox: Sandbox
) -> None:
    before = shop.users()
    with fronted(shop, "/health") as front, sandbox.superuser("local") as connection:
        connection.autocommit = True
        process = begin(shop)
        assert front.held.wait(30)
        with connection.transaction():
            connection.execute('LOCK TABLE "user" IN EXCLUSIVE MODE')
            front.let_go.set()
            with sandbox.superuser("local") as other:
                waiting = (
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE application_name = 'praviel-runbooks' AND wait_event_type = 'Lock'"
                )
                wait_for(lambda: other.execute(waiting).fetchone() == (1,), "the clean-up")
            process.send_signal(number)
        code, _, _ = ended(process)

    assert code == status
    assert shop.users() == before
    assert f"stopped by {number.name}" in log_of(shop)


def test_after_a_kill_the_next_run_cleans_up_and_the_log_says_where_it_stopped(shop: Shop) -> None:
    before = shop.users()
    with fronted(shop, "/health/db") as front:
        process = begin(shop)
        assert front.held.wait(30)
        wait_for(lambda: any(record["kind"] == "created-user" for record in shop.records()), "the user")
        process.kill()
        process.communicate()
    assert shop.users() == before + 1
    assert "Ask what can be asked at once" in log_of(shop)

    code, _, _ = shop.checks("--only", "accounts.login")

    assert code == 0
    assert shop.users() == before


def test_after_a_kill_between_registration_and_its_record_the_next_run_cleans_up(shop: Shop) -> None:
    before = shop.users()
    with fronted(shop) as front:

        def register_then_hold(request: Request) -> None:
            front.instead.clear()
            assert front.answer(request)
            front.held.set()
            front.let_go.wait(60)

        front.instead["/api/v1/auth/register"] = register_then_hold
        process = begin(shop)
        assert front.held.wait(30)
        process.kill()
        process.communicate()
    assert shop.users() == before + 1

    shop.checks("--only", "accounts.login")

    assert shop.users() == before


def test_a_killed_run_is_resumed_with_a_new_user_and_the_old_one_is_erased(shop: Shop) -> None:
    before = shop.users()
    with fronted(shop, "/health/db") as front:
        process = begin(shop)
        assert front.held.wait(30)
        wait_for(lambda: any(record["kind"] == "created-user" for record in shop.records()), "the user")
        process.kill()
        process.communicate()
        front.let_go.set()
        run = next(shop.runs.iterdir()).name

        # The environment is not named: the run's id tells it.
        done = shop.shell.invoke("runs.resume", run)

    assert done.returncode == 0, done.stderr
    assert "GO shop" in done.stdout
    assert shop.users() == before
    again = shop.shell.invoke("runs.resume", run)
    assert (again.returncode, "the run has ended" in again.stderr) == (2, True)


def test_a_killed_run_is_taken_back(shop: Shop) -> None:
    before = shop.users()
    with fronted(shop, "/health/db") as front:
        process = begin(shop)
        assert front.held.wait(30)
        wait_for(lambda: any(record["kind"] == "created-user" for record in shop.records()), "the user")
        process.kill()
        process.communicate()
        front.let_go.set()

        done = shop.shell.invoke("runs.abort", next(shop.runs.iterdir()).name)

    assert done.returncode == 6, done.stderr
    assert shop.users() == before


def test_a_run_that_goes_on_is_neither_resumed_nor_its_user_erased_by_another(shop: Shop) -> None:
    before = shop.users()
    with fronted(shop, "/health/db") as front:
        process = begin(shop)
        assert front.held.wait(30)
        wait_for(lambda: any(record["kind"] == "created-user" for record in shop.records()), "the user")

        resumed = shop.shell.invoke("runs.resume", next(shop.runs.iterdir()).name)
        shop.checks("--only", "accounts.login")

        assert (resumed.returncode, "still going on" in resumed.stderr) == (2, True)
        assert shop.users() == before + 1
        front.let_go.set()
        code, _, _ = ended(process)

    assert code == 0
    assert shop.users() == before


def test_a_reader_that_goes_away_leaves_no_user(shop: Shop) -> None:
    """``invoke release.verify | head -1``: what is written then is lost, what must be erased is erased."""
    before = shop.users()
    process = begin(shop)
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr
    with process.stderr:
        error = process.stderr.read()
    process.wait(60)

    assert "Traceback" not in error
    assert shop.users() == before
