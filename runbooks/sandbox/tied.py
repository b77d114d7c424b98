"""Run a Python module as ``python -m`` does, but only as long as our parent lives.

    python -m runbooks.sandbox.tied PARENT MODULE ARGUMENT …

The kernel sends SIGKILL when the process that started us ends, by whatever means. Elsewhere than on Linux we run on.
"""

from __future__ import annotations

import runpy
import signal
import sys

from runbooks.sandbox.launch import die_with


def main(parent: str, module: str) -> None:
    """Become the module; its arguments are those after its name."""
    die_with(int(parent), signal.SIGKILL)
    sys.argv = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
