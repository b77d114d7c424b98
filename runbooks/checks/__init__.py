"""One file per id prefix, each a few questions about PRAVIEL. Read-only: what a check must create, a step creates.

`items` lists what the operators' document asks for; `registry` finds the checks that exist for it.
"""
