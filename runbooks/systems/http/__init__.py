"""HTTP requests with a total time limit, a size limit, and errors that say what came instead of the answer."""

import sys

# httpx loads its own command line, with rich and click, where they happen to be installed, and does without where not.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # how the import system marks a module as absent
