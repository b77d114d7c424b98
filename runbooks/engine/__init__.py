"""Runs any runbook: journal first, resume by postcondition, compensate last first.

Nothing here knows PostgreSQL, Railway or PRAVIEL. Read `step` for what a procedure is made of, `run` for how it is
performed, `journal` for what is written down, `checking` for how questions are asked in parallel.
"""
