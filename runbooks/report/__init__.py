"""Renders a run: on a terminal, as Markdown, as JSON. It decides nothing and sees no secret.

How the modules build on each other: ``text`` makes foreign text harmless; ``reading`` turns a run's records
into what all renderings share (``view``), ``tally`` counts it by section; then ``markdown`` (with ``escape``,
``gantt`` and the template ``run-log.md.j2``), ``json_report``, and for people who wait ``console`` and ``live``,
which say the same in the same words (``wording``). Only ``live`` loads rich, and it is loaded only for a terminal.
"""
