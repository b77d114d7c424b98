"""Turns the inventory's files into frozen objects, and says which environment a command means.

Read `model` for what an environment declares, `load` for how a file becomes one, `discover` for which
environments there are, `resolve` for how a ``{ secret = "NAME" }`` becomes a value. `shape` compares a file
with the model's keys and types, `rules` refuses combinations that make no sense, `locate` finds a key's line,
which tomllib does not tell.
"""
