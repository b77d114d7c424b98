"""A process that encrypts batches anew: a core each, since Python's threads would share one.

Started by `reencrypt_workers`. Reads JSON lines from standard input: first how to connect and with which keys, then the
end of one batch after another; answers each with a line. Neither its arguments nor its environment hold a secret. It
ends when its standard input does, also when that is because whoever started it was killed.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from runbooks.engine.errors import RunbookError
from runbooks.engine.secret import Secret
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.reencrypt import encrypt_batch
from runbooks.systems.postgres.side_table import Column, SideTable
from runbooks.systems.secrets.fernet import Keys


def main() -> None:
    """Work until there is no more to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; who started us ends between two batches
    told = json.loads(sys.stdin.readline())
    side = SideTable(Column(**told["column"]), told["run"])
    older = tuple(Secret("older key", each) for each in told["older"])
    keys = Keys(Secret("old key", told["old"]), Secret("new key", told["new"]), older)
    access = Access(url=Secret("database", told["url"]), connect_seconds=told["connect_seconds"], reach=told["reach"])
    try:
        with access.connection() as connection:
            for line in sys.stdin:
                _answer(strange=list(encrypt_batch(connection, side, json.loads(line), keys)))
    except RunbookError as error:
        _answer(what=error.what, where=error.where, found=error.found, mend=error.mend)


def _answer(**data: Any) -> None:
    print(json.dumps(data), flush=True)


if __name__ == "__main__":
    main()
