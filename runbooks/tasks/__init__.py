"""The command line: a module for each family of tasks, which only hands its arguments to the package.

Nothing that a task needs is imported before it runs, so that ``invoke --list`` stays as fast as an empty project's.
A module ends in its collection, ``TASKS``; ``tasks.py`` adds it.
"""
