"""Renders a run: on a terminal, as Markdown, as JSON. It decides nothing and sees no secret.

How the modules build on each other: ``text`` makes foreign text harmless; ``view`` turns a run's records into what all
renderings share; ``tally`` counts it by section; then one module per rendering: ``markdown`` (with ``escape``, ``gantt``
and the template ``run-log.md.j2``), ``json_report``, ``console`` for pipes, ``live`` for terminals, ``listing`` for lists
of runs. Only ``live`` loads rich, and it is loaded only for a terminal.
"""
