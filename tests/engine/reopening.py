"""Started as a process of its own: open the journal in a folder, as a resume would."""

from __future__ import annotations

import sys
from pathlib import Path

from runbooks.engine.errors import InputError
from runbooks.engine.journal import Journal
from runbooks.engine.redact import Redactor

if __name__ == "__main__":
    try:
        Journal.reopen(Path(sys.argv[1]), Redactor())
    except InputError as error:
        print(error.what)
        sys.exit(error.exit_code)
    print("opened")
