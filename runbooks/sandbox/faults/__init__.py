"""Faults: what an operator, an outage or a bad release can do to the sandbox, each with the way back.

A fault changes a cause by a means that exists in production too: a variable, a row, a setting of a server, a
file, another build of the application. `catalogue.FAULTS` holds them all.
"""
