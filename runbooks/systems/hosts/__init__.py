"""Hosts: machines on which a process manager, supervisor or systemd, keeps the application running.

Everything is asked by commands that `commands` builds and a `Runner` runs: on this machine now, over SSH with the same
commands. Only supervisor's own interface is spoken to directly.
"""
