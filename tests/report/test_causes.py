from __future__ import annotations

from dataclasses import replace

from runbooks.engine.outcome import Verdict
from runbooks.report import wording
from runbooks.report.causes import together
from runbooks.report.view import CheckView


def unknown(id: str, found: str, mend: str = "start it") -> CheckView:
    return CheckView(
        id=id,
        number=None,
        section="Security",
        title=id,
        severity="critical",
        evidence="probe",
        phase="live",
        depends_on=(),
        gate=False,
        verdict=Verdict.UNKNOWN,
        found=found,
        mend=mend,
        reason="unreachable",
    )


DOWN = "the server can't be reached at {} http://127.0.0.1:20001/{}: [Errno 111] Connection refused"


def test_a_server_that_is_down_is_told_once_with_all_that_it_hides() -> None:
    checks = [unknown(name, DOWN.format(method, name)) for method, name in (("GET", "a"), ("POST", "b"), ("GET", "c"))]

    (told,) = together(checks)

    assert told.id == "a"
    assert told.same_cause == ("b", "c")
    assert wording.details(told)[-1].text == "for 2 more checks: b, c"


def test_two_servers_that_are_down_are_two_causes() -> None:
    other = DOWN.replace("20001", "20002")

    assert len(together([unknown("a", DOWN.format("GET", "a")), unknown("b", other.format("GET", "b"))])) == 2


def test_what_failed_is_always_told_by_itself() -> None:
    checks = [replace(unknown(name, "the same"), verdict=Verdict.FAILED) for name in "ab"]

    assert together(checks) == tuple(checks)


def test_a_long_list_is_cut_on_a_screen() -> None:
    (told,) = together([unknown(f"check-{number}", "down") for number in range(12)])

    assert wording.details(told)[-1].text.endswith("check-6 and 5 more")
