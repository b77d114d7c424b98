"""The stand-in application promises what PRAVIEL promises, for every route that a check calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbooks.sandbox.repository import build, checkout

REFERENCE = Path(__file__).parents[2].parent / "shared" / "facts" / "praviel-openapi.json"
AUTH = "/api/v1/auth"
ROUTES = [
    ("get", "/health"),
    ("get", "/health/db"),
    ("get", "/health/providers"),
    ("get", "/"),
    ("post", f"{AUTH}/register"),
    ("post", f"{AUTH}/login"),
    ("post", f"{AUTH}/refresh"),
    ("post", f"{AUTH}/logout"),
    ("post", f"{AUTH}/change-password"),
    ("post", f"{AUTH}/email/send-verification"),
    ("post", f"{AUTH}/email/verify"),
    ("get", f"{AUTH}/email/status"),
    ("post", f"{AUTH}/password-reset/request"),
    ("post", f"{AUTH}/password-reset/confirm"),
    ("get", f"{AUTH}/password-reset/validate-token/{{token}}"),
    ("get", "/api/v1/users/me"),
    ("patch", "/api/v1/users/me"),
    ("delete", "/api/v1/users/me"),
    ("get", "/api/v1/api-keys/"),
    ("post", "/api/v1/api-keys/"),
    ("get", "/api/v1/api-keys/{provider}/test"),
    ("delete", "/api/v1/api-keys/{provider}"),
    ("get", "/api/v1/languages"),
    ("post", "/lesson/generate"),
    ("post", "/chat/converse"),
    ("post", "/coach/chat"),
    ("post", "/tts/speak"),
    ("get", "/search"),
    ("get", "/search/works"),
    ("get", "/reader/texts"),
    ("get", "/reader/texts/{text_id}/structure"),
    ("get", "/reader/texts/{text_id}/segments"),
    ("post", "/reader/analyze"),
    ("get", "/vocabulary/search"),
    ("post", "/api/v1/support/bug-report"),
]
SETTINGS = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "ENVIRONMENT": "production",
    "JWT_SECRET_KEY": "kTr8-9sLq2_vWm4XzP7yBn3Gc6HdJf5A",
    "ENCRYPTION_KEY": "3vJQ0r2m9W0m0wq0Q7k1l8rZyYwHc2m1h0xqk2c9y1U=",
}
# Dropped by the release whose whole purpose that is.
DROPPED = {"v3": {("/api/v1/users/me", "phone")}}

Document = dict[str, Any]


def _run(folder: Path, code: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **settings}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("contract")
    build(base / "repository")
    return base


@pytest.fixture(scope="module", params=["v1", "v2", "v3"])
def release(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Document]:
    tag: str = request.param
    there = tmp_path_factory.mktemp("release") / tag  # in any order: the same release may come twice
    checkout(folder / "repository", tag, there)
    code = "import json, app.main; print(json.dumps(app.main.app.openapi()))"
    done = _run(there, code, SETTINGS)
    assert done.returncode == 0, done.stderr
    return tag, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def reference() -> Document:
    if not REFERENCE.exists():
        pytest.skip(f"PRAVIEL's OpenAPI document is not beside this repository ({REFERENCE.name})")
    document: Document = json.loads(REFERENCE.read_text(encoding="utf-8"))
    return document


def _schema(document: Document, part: Any) -> Document:
    while isinstance(part, dict) and "$ref" in part:
        part = document["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    return part if isinstance(part, dict) else {}


def _body(document: Document, holder: Document) -> Document:
    content = holder.get("content", {}).get("application/json", {})
    return _schema(document, content.get("schema", {}))


def _success(operation: Document) -> str:
    return min(str(status) for status in operation["responses"] if status.startswith("2"))


def _fields(document: Document, schema: Document, prefix: str = "") -> Iterator[str]:
    """Names of all fields, those of nested objects and list items included."""
    for name, part in _schema(document, schema).get("properties", {}).items():
        yield prefix + name
        inner = _schema(document, part)
        inner = _schema(document, inner.get("items", inner))
        if "oneOf" not in inner:
            yield from _fields(document, inner, f"{prefix}{name}.")


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
def test_a_route_takes_and_gives_what_praviel_does(
    release: tuple[str, Document], reference: Document, method: str, path: str
) -> None:
    tag, ours = release
    theirs = reference["paths"][path][method]
    mine = ours["paths"][path][method]
    assert _success(theirs) == _success(mine)

    wanted, taken = _body(reference, theirs.get("requestBody", {})), _body(ours, mine.get("requestBody", {}))
    dropped = {name for where, name in DROPPED.get(tag, ()) if where == path}
    assert set(_fields(reference, wanted)) - dropped <= set(_fields(ours, taken))
    assert set(wanted.get("required", ())) == set(taken.get("required", ()))

    given = _body(reference, theirs["responses"][_success(theirs)])
    answered = _body(ours, mine["responses"][_success(mine)])
    assert set(_fields(reference, given)) <= set(_fields(ours, answered))
    assert set(given.get("required", ())) <= set(answered.get("properties", ()))


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
def test_a_route_has_praviels_required_parameters(
    release: tuple[str, Document], reference: Document, method: str, path: str
) -> None:
    def required(document: Document) -> set[str]:
        parameters = document["paths"][path][method].get("parameters", [])
        return {parameter["name"] for parameter in parameters if parameter["required"]}

    assert required(reference) == required(release[1])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"DATABASE_URL": None}, "DATABASE_URL"),
        ({"JWT_SECRET_KEY": None}, "JWT_SECRET_KEY must not be the default"),
        ({"JWT_SECRET_KEY": "short-canary"}, "at least 32 characters"),
        ({"ENCRYPTION_KEY": None}, "ENCRYPTION_KEY is required"),
        ({"EMAIL_PROVIDER": "pigeon"}, "EMAIL_PROVIDER"),
        ({"EMAIL_PROVIDER": "resend"}, "needs RESEND_API_KEY"),
        ({"BYOK_ALLOWED_HEADERS": "a,b"}, "BYOK_ALLOWED_HEADERS"),
        ({"COACH_DEFAULT_MODEL": "gpt-4o"}, "COACH_DEFAULT_MODEL"),
    ],
)
def test_an_unusable_setting_stops_the_start(folder: Path, changes: dict[str, str | None], complaint: str) -> None:
    if not (folder / "settings").exists():
        checkout(folder / "repository", "v1", folder / "settings")
    settings = {name: value for name, value in {**SETTINGS, **changes}.items() if value is not None}
    done = _run(folder / "settings", "from app.core.config import settings", settings)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "short-canary" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ENCRYPTION_KEY": "not-a-fernet-key"}, "Invalid ENCRYPTION_KEY format"),
        ({"DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/x"}, "only asyncpg is supported"),
    ],
)
def test_an_unusable_value_stops_the_import(folder: Path, changes: dict[str, str], complaint: str) -> None:
    if not (folder / "settings").exists():
        checkout(folder / "repository", "v1", folder / "settings")
    done = _run(folder / "settings", "import app.main", {**SETTINGS, **changes})
    assert done.returncode == 1
    assert complaint in done.stderr


def test_a_disabled_feature_has_no_route(folder: Path) -> None:
    if not (folder / "settings").exists():
        checkout(folder / "repository", "v1", folder / "settings")
    code = "import app.main; print(sorted(app.main.app.openapi()['paths']))"
    off = {"LESSONS_ENABLED": "false", "TTS_ENABLED": "false", "COACH_ENABLED": "false"}
    paths = _run(folder / "settings", code, {**SETTINGS, **off}).stdout
    assert "/chat/converse" in paths
    assert not any(gone in paths for gone in ("/lesson/", "/tts/", "/coach/"))
