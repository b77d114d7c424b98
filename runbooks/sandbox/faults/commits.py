"""Faults of the source's history: something was committed that must not be, and deleted too late."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.world import Sandbox

Text = Callable[[Sandbox], str]


def committed(path: str, text: Text, *, branch: str = "main") -> Means:
    """Commit a file and delete it again, on a branch; the way back rewrites the branch."""

    def inject(sandbox: Sandbox) -> None:
        from runbooks.sandbox.commits import commit_and_delete

        commit_and_delete(sandbox.layout.repository, branch, path, text(sandbox))

    def mend(sandbox: Sandbox) -> None:
        from runbooks.sandbox.commits import rewrite

        rewrite(sandbox.layout.repository, branch)

    return Means(inject, mend, restarts=False)


def variable_line(name: str) -> Text:
    """A line of a dotenv file with what the environment runs with now."""
    return lambda sandbox: f"# production\n{name}={sandbox.variables(LOCAL)[name]}\n"


def encoded(name: str) -> Text:
    """The same in base64, as cluster manifests hold it."""
    import base64

    def text(sandbox: Sandbox) -> str:
        value = base64.b64encode(sandbox.variables(LOCAL)[name].encode()).decode()
        return f"kind: Secret\ndata:\n  key: {value}\n"

    return text


def stray_key(_sandbox: Sandbox) -> str:
    """A key of the shape that Anthropic's have; nobody's, and another one each time."""
    return f'import anthropic\n\nclient = anthropic.Anthropic(api_key="sk-ant-api03-{secrets.token_hex(46)}aAA")\n'
