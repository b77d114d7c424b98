"""Runbooks as code for PRAVIEL.

How the packages depend on each other (a test holds it; imports go one way only):

    engine  ←  systems  ←  steps, checks  ←  the runbooks (verify.py …)  ←  tasks

``engine`` runs any runbook and knows nothing of PRAVIEL; ``systems`` talks to one outside system per package;
``environment`` reads the inventory and chooses the systems; ``checks`` and ``steps`` hold what is particular to
the application; ``report`` renders a run; ``sandbox`` is the embedded default.
"""

__version__ = "0.1.0"
