"""Steps that runbooks are made of: one effect each, which knows when it is done."""
