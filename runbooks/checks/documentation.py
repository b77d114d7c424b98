"""The application's documents and its API's description, compared with what is so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from runbooks.checks.declare import check
from runbooks.checks.document_names import Known, follow, missing_commands, missing_names
from runbooks.checks.routes import BEYOND, ROUTES, SWITCHED, listed, template
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.source.markdown import Document, parse
from runbooks.systems.source.variables import Variables, read_by

SHOWN = 5
OPENAPI = "/openapi.json"
DOCS = "/docs"


@check("documentation.readme-current", severity=Severity.MINOR, evidence=Evidence.PROBE, target="source")
def readme_current(subject: Subject) -> Finding:
    path = subject.environment.documentation.readme
    expected = f"the commands, files, variables and routes that {path} names exist"
    text = subject.site.source.text(path)
    if text is None:
        return failed(expected, f"there is no {path}", "write one, or correct documentation.readme")
    document, known, beside = parse(text), _known(subject, read_by(subject.site.source)), _folder(path)
    wrong = [*missing_names(document, known, beside), *missing_commands(document, known)]
    wrong += [f"{each}" for each in follow(document, known, beside, _others(subject)).dead]
    if wrong:
        return failed(expected, f"{path} names what is not there: {_some(wrong)}", f"correct {path}")
    return passed(
        expected, f"{len(document.codes)} names, {len(document.commands)} commands, {len(document.links)} links"
    )


@check("documentation.api-docs", severity=Severity.MINOR, evidence=Evidence.PROBE, target="application", seconds=30)
def api_docs(subject: Subject) -> Finding:
    expected = f"{DOCS} shows the API, {OPENAPI} is valid OpenAPI and lists the routes that the checklist uses"
    page = subject.site.application.get(DOCS)
    mend = "see whether the release switches its documentation off"
    if page.status != 200:
        return failed(expected, f"GET {DOCS} is HTTP {page.status}", mend)
    if OPENAPI.encode() not in page.body:
        return failed(expected, f"{DOCS} does not show {OPENAPI}; it begins {page.beginning()}", mend)
    answer = subject.site.application.get(OPENAPI)
    if answer.status != 200:
        return failed(expected, f"GET {OPENAPI} is HTTP {answer.status}", mend)
    document = answer.object()
    problem = _problem(subject, answer.body, document)
    if problem:
        return failed(expected, f"{OPENAPI} is not valid: {problem}", "correct the route that it names")
    wanted = [*ROUTES, *(route for name, route in SWITCHED.items() if subject.site.flag(name, default=True))]
    missing = [route for route in wanted if template(route) not in listed(document)]
    if missing:
        return failed(expected, f"not listed: {_some(missing)}", "see whether the release lost the route")
    return passed(expected, f"OpenAPI {document.get('openapi')} with {len(listed(document))} routes")


@check("documentation.variables", severity=Severity.MINOR, evidence=Evidence.PROBE, target="source")
def variables(subject: Subject) -> Finding:
    path = subject.environment.documentation.variables
    expected = f"{path} names every variable that the release reads, and no other"
    source = subject.site.source
    text = source.text(path)
    if text is None:
        return failed(expected, f"there is no {path}", "write one, or correct documentation.variables")
    named = {row.text for row in parse(text).rows}
    if not named:
        return failed(expected, f"{path} has no table with variables in its first column", f"name them in {path}")
    read = read_by(source)
    missing = sorted((read.settings.keys() | read.elsewhere.keys()) - named)
    beyond = sorted(named - read.settings.keys() - read.elsewhere.keys())
    wrong = [f"undocumented: {_some(missing)}"] * bool(missing) + [f"read by nothing: {_some(beyond)}"] * bool(beyond)
    if wrong:
        return failed(expected, "; ".join(wrong), f"correct {path}")
    found = f"{len(read.settings)} settings and {len(read.elsewhere)} variables read elsewhere are named"
    return passed(expected, found)


@check("documentation.deployment-guide", severity=Severity.MINOR, evidence=Evidence.PROBE, target="source", seconds=30)
def deployment_guide(subject: Subject) -> Finding:
    path = subject.environment.documentation.deployment
    expected = f"{path} exists, and its links and commands lead somewhere"
    text = subject.site.source.text(path)
    if text is None:
        return failed(expected, f"there is no {path}", "write one, or correct documentation.deployment")
    document, known = parse(text), _known(subject, None)
    links = follow(document, known, _folder(path), _others(subject))
    wrong = [*links.dead, *missing_commands(document, known)]
    asked = subject.environment.documentation.external_links
    unreached: list[str] = []
    for url in links.external if asked else ():
        try:
            status = _status(subject, url)
        except SystemFault as fault:
            unreached.append(f"{url}: {fault.what}")
            continue
        if status in (404, 410) or status >= 500:
            wrong.append(f"{url} is HTTP {status}")
    if wrong:
        return failed(expected, _some(wrong), f"correct {path}")
    if unreached:
        return unknown(expected, _some(unreached), "see whether this machine may ask other sites", Reason.UNREACHABLE)
    others = f"{len(links.external)} links to other sites " + ("answer" if asked else "were not asked for")
    return passed(expected, f"{len(document.links)} links and {len(document.commands)} commands; {others}")


def _problem(subject: Subject, body: bytes, document: Mapping[str, Any]) -> str:
    """What is wrong with the document; a sound one is remembered by its bytes, as judging it takes two seconds."""
    digest = hashlib.sha256(body + version("openapi-spec-validator").encode()).hexdigest()
    sound = subject.site.cache / "openapi" / f"{digest}.sound"
    if sound.exists():
        return ""
    problem = openapi_problem(document)
    if not problem:
        sound.parent.mkdir(parents=True, exist_ok=True)
        sound.touch()
    return problem


def openapi_problem(document: Mapping[str, Any]) -> str:
    """What is wrong with an OpenAPI document, or nothing."""
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator  # takes a while to load

    told = str(document.get("openapi", ""))
    if not told.startswith(("3.0", "3.1")):
        return f"its version is {told[:20] or 'missing'!r}"
    validator = OpenAPIV31SpecValidator if told.startswith("3.1") else OpenAPIV30SpecValidator
    try:
        error = next(iter(validator(dict(document)).iter_errors()), None)
    except (KeyError, TypeError, ValueError, AttributeError) as broken:
        return f"its structure is broken at {broken!r}"[:200]
    return f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:200] if error else ""


def _known(subject: Subject, read: Variables | None) -> Known:
    files = frozenset(path for path, _ in subject.site.source.contents())
    if read is None:
        return Known(files, frozenset())
    document = subject.site.application.get(OPENAPI).object()
    routes = listed(document) | {template(route) for route in BEYOND}
    return Known(files, frozenset({*read.settings, *read.elsewhere}), routes)


def _others(subject: Subject) -> dict[str, Document]:
    """The release's other Markdown documents, for the headings that links lead to."""
    return {
        path: parse(content.decode(errors="replace"))
        for path, content in subject.site.source.contents()
        if path.endswith(".md")
    }


def _status(subject: Subject, url: str) -> int:
    with subject.site.public.web(url) as client:
        return client.get("").status


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _some(texts: list[str]) -> str:
    more = f", and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more
