"""What users are promised and what others may do with the source: privacy policy, terms, licence."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed

OLDEST = timedelta(days=2 * 365)
LICENCES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "LICENCE.md", "LICENCE.txt", "COPYING")

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTH = "|".join(MONTHS)
ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)? ({_MONTH}),? (\d{{4}})\b", re.IGNORECASE)
MONTH_FIRST = re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", re.IGNORECASE)


@check("compliance.privacy-policy", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="source")
def privacy_policy(subject: Subject) -> Finding:
    return _legal(subject, "privacy policy", "documentation.privacy", subject.environment.documentation.privacy)


@check("compliance.terms", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="source")
def terms(subject: Subject) -> Finding:
    return _legal(subject, "terms of service", "documentation.terms", subject.environment.documentation.terms)


@check("compliance.licence", severity=Severity.MINOR, evidence=Evidence.PROBE, target="source")
def licence(subject: Subject) -> Finding:
    expected = "a licence file at the root holds a licence of the SPDX list"
    for name in LICENCES:
        text = subject.site.source.text(name)
        if text is not None:
            known = recognised(text)
            if not known:
                mend = "put the text of one licence there, unchanged; choosealicense.com has them"
                return failed(expected, f"{name} is no licence of the list", mend)
            return passed(expected, f"{name} is {' and '.join(known)}")
    return failed(expected, f"there is no {LICENCES[0]}", "put the text of a licence there")


def recognised(text: str) -> list[str]:
    """The SPDX ids of the licences in a text.

    By licenseclassifier: without dependencies, a few milliseconds, and silent where it is not sure.
    """
    from licenseclassifier import identify_license

    return sorted({match.id for match in identify_license(text)})


def _legal(subject: Subject, title: str, key: str, place: str) -> Finding:
    expected = f"the {title} is there and dated within two years"
    if "://" in place:
        with subject.site.public.web(place) as client:
            answer = client.get("")
        if answer.status != 200:
            return failed(expected, f"{place} is HTTP {answer.status}", f"put it there, or correct {key}")
        text: str | None = answer.body.decode(errors="replace")
    else:
        text = subject.site.source.text(place)
    if not text or not text.strip():
        return failed(expected, f"there is no {place}" if text is None else f"{place} is empty", f"write it; see {key}")
    dated = newest_date(text)
    if dated is None:
        return failed(expected, f"{place} has no date", "say in it when it was last changed, for example 2026-03-01")
    age = datetime.now(UTC).date() - dated
    if age > OLDEST:
        return failed(expected, f"{place} is of {dated}", "read it again, and say in it when that was")
    return passed(expected, f"{place} is of {dated}")


def newest_date(text: str) -> date | None:
    """The newest day that a text names, apart from days to come; None if there is none."""
    today = datetime.now(UTC).date()
    found = [_day(year, int(month), day) for year, month, day in ISO.findall(text)]
    found += [_day(year, _number(month), day) for day, month, year in DAY_FIRST.findall(text)]
    found += [_day(year, _number(month), day) for month, day, year in MONTH_FIRST.findall(text)]
    return max((day for day in found if day and day <= today), default=None)


def _number(month: str) -> int:
    return MONTHS.index(month.capitalize()) + 1


def _day(year: str, month: int, day: str) -> date | None:
    try:
        return date(int(year), month, int(day))
    except ValueError:
        return None
