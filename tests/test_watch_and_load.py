"""``release.watch`` and ``release.load`` as an operator meets them: killed, gone on with, refused, and read again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbooks.engine.wait import until
from runbooks.systems.ledger.ledger import ENDED, REHEARSAL, SAMPLE, Entry, Ledger
from tests.shops import Shop

PACE = ("--hours", "0.0017", "--every", "0.5")
"""Six seconds."""

LOAD = """
[load]
allowed = true
rate = 20.0
minutes = 0.01
p95_ms = 5000.0
p99_ms = 5000.0
"""


def ledger(shop: Shop) -> Ledger:
    return Ledger(shop.project / "var" / "watch" / shop.name)


def begin(shop: Shop) -> subprocess.Popen[str]:
    process = shop.shell.start("release.watch", "--env", shop.name, *PACE)
    until(lambda: len(ledger(shop).read().of(SAMPLE)) >= 2, seconds=30, what="no sample was taken")
    return process


def log_of(shop: Shop) -> str:
    return max(shop.runs.glob("*release.watch*/log.md")).read_text()


def test_a_watch_that_was_killed_goes_on_where_it_stopped(shop: Shop) -> None:
    process = begin(shop)
    process.kill()
    process.communicate()
    seen = len(ledger(shop).read().of(SAMPLE))
    run = next(shop.runs.iterdir()).name

    done = shop.shell.invoke("runs.resume", run)

    assert done.returncode in (0, 3, 4), done.stderr
    assert "goes on with the watch of" in done.stdout
    reading = ledger(shop).read()
    assert reading.damage == ()
    assert len(reading.of(SAMPLE)) > seen
    assert [entry.data["run"] for entry in reading.of(ENDED)] == [run]
    assert f"{len(reading.of(SAMPLE))} samples" in log_of(shop)


def test_the_same_command_again_goes_on_with_a_watch_that_was_cut_off(shop: Shop) -> None:
    process = begin(shop)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "stopped after" in out
    first = next(shop.runs.iterdir()).name

    done = shop.shell.invoke("release.watch", "--env", shop.name, *PACE)

    assert f"(run {first})" in done.stdout
    assert "Traceback" not in done.stderr
    reading = ledger(shop).read()
    assert [entry.data["run"] for entry in reading.of(ENDED)] == [first]
    window = reading.of(SAMPLE)[-1].at - reading.of(SAMPLE)[0].at
    assert window < timedelta(seconds=7.5), "it ended when the first was meant to"


def test_its_log_has_pictures_and_a_plain_conclusion(shop: Shop) -> None:
    done = shop.shell.invoke("release.watch", "--env", shop.name, "--hours", "0.0003", "--every", "0.5")

    log = log_of(shop)
    assert re.search(r"^\*\*(WELL|NOT WELL|UNDECIDED) shop: \d+ samples of release", log, re.MULTILINE)
    assert log.count("```mermaid\n%%{init") >= 3
    assert "xychart-beta" in log
    assert "| Database connections, open |" in log
    assert done.stdout.splitlines()[-2].startswith(("WELL shop", "NOT WELL shop", "UNDECIDED shop"))
    assert shop.shell.invoke("runs.audit", "--env", shop.name).returncode == 0


def test_a_timers_single_look_is_one_line_and_one_sample(shop: Shop) -> None:
    done = shop.shell.invoke("release.watch", "--once", "--env", shop.name)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("shop: ")
    assert "healthy" in done.stdout
    assert len(ledger(shop).read().of(SAMPLE)) == 1
    assert not shop.runs.exists(), "a single look is no run"


def test_an_application_that_is_gone_is_a_sample_too(shop: Shop) -> None:
    shop.write(APPLICATION_URL="http://127.0.0.1:9")

    done = shop.shell.invoke("release.watch", "--once", "--env", shop.name)

    assert done.returncode == 3
    (entry,) = ledger(shop).read().of(SAMPLE)
    assert entry.data["health"]["app"] == "the server can't be reached"
    assert "unknown" in entry.data["latency_ms"]


@pytest.mark.parametrize("words", [("--hours", "0"), ("--hours", "x"), ("--every", "0.01"), ("--every", "7200")])
def test_a_watch_that_makes_no_sense_is_refused(words: tuple[str, str], shop: Shop) -> None:
    done = shop.shell.invoke("release.watch", "--env", shop.name, *words)

    assert done.returncode == 2
    assert words[0] in done.stderr
    assert not shop.runs.exists()


def test_a_load_that_nobody_has_declared_is_refused(shop: Shop) -> None:
    done = shop.shell.invoke("release.load", "--env", shop.name, "--rate", "10", "--minutes", "1", "--confirm", "shop")

    assert done.returncode == 2
    assert "no load may be put on shop" in done.stderr
    assert "allowed = true" in done.stderr
    assert not shop.runs.exists()
    assert not ledger(shop).folder.exists()


def test_a_declared_load_is_measured_judged_and_kept(shop: Shop) -> None:
    shop.more = LOAD
    shop.application += "\n"
    shop.write()
    text = (shop.folder / "environment.toml").read_text()
    (shop.folder / "environment.toml").write_text(text.replace("schema = 1", "schema = 1\nprotected = false", 1))

    met = shop.shell.invoke("release.load", "--env", shop.name)
    (shop.folder / "environment.toml").write_text(
        text.replace("schema = 1", "schema = 1\nprotected = false", 1).replace("p95_ms = 5000.0", "p95_ms = 0.001")
    )
    missed = shop.shell.invoke("release.load", "--env", shop.name)

    assert (met.returncode, "MET shop: 12 requests at 20 a second" in met.stdout) == (0, True), met.stdout + met.stderr
    assert (missed.returncode, "MISSED shop" in missed.stdout) == (3, True)
    first, second = ledger(shop).read().of(REHEARSAL)
    assert (first.data["missed"], first.data["requests"], first.data["error_percent"]) == ([], 12, 0)
    assert second.data["missed"][0].startswith("p95 ")
    assert first.release == ""


def test_the_plan_of_a_load_asks_nothing(shop: Shop) -> None:
    shop.more = LOAD
    shop.write()

    done = shop.shell.invoke("release.load", "--env", shop.name, "--plan")

    assert done.returncode == 0, done.stderr
    assert "12 requests to" in done.stdout
    assert not ledger(shop).folder.exists()


def put(folder: Path, entry: Entry) -> None:
    of = Ledger(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with of.path_of(entry).open("ab") as file:
        file.write(entry.line())


@pytest.mark.parametrize(
    ("days", "missed", "rate", "verdict"),
    [(99, [], 20, "passed"), (101, [], 20, "failed"), (1, ["p95"], 20, "failed"), (1, [], 10, "failed")],
)
def test_a_rehearsal_counts_for_a_hundred_days(
    days: int, missed: list[str], rate: float, verdict: str, shop: Shop
) -> None:
    shop.more = LOAD
    shop.write()
    found = {"rate": rate, "minutes": 1, "p95_ms": 9.0, "p99_ms": 10.0, "error_percent": 0, "missed": missed}
    at = datetime.now(UTC) - timedelta(days=days)
    put(ledger(shop).folder, Entry(at, REHEARSAL, "", json.loads(json.dumps(found))))

    _, checks, _ = shop.checks("--only", "scaling.database-load")

    assert checks["scaling.database-load"]["verdict"] == verdict
