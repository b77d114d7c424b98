"""The public site: a page, its script and the configuration that it was built with."""

from __future__ import annotations

import enum
import json

from runbooks.engine.atomic import write_atomically
from runbooks.sandbox.layout import Layout

DEBUG_API = "http://127.0.0.1:8002"
"""What a debug build calls: the developer's own machine."""

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>PRAVIEL</title>
<script src="main.js" defer></script>
</head>
<body><p id="status">Loading</p></body>
</html>
"""

SCRIPT = """\
const settings = %s;
fetch(settings.api + "/health", { credentials: "include" })
  .then((answer) => answer.json())
  .then((health) => { document.getElementById("status").textContent = health.project; });
"""


class Build(enum.StrEnum):
    """How the site was built."""

    RELEASE = "release"
    DEBUG = "debug"
    NONE = "none"


def write(layout: Layout, api: str, build: Build) -> None:
    """Have the site's files as this build made them.

    Args:
        api: The application's public address, which a release calls.
    """
    layout.frontend.mkdir(exist_ok=True)
    layout.frontend.chmod(0o755)
    settings = json.dumps({"api": DEBUG_API if build is Build.DEBUG else api})
    for name, text in {"index.html": PAGE, "main.js": SCRIPT % settings}.items():
        file = layout.frontend / name
        if build is Build.NONE:
            file.unlink(missing_ok=True)
        elif not file.exists() or file.read_text() != text:
            write_atomically(file, text.encode(), 0o644)
