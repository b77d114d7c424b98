"""PRAVIEL stand-in: the routes, rules and tables that an operator of PRAVIEL depends on."""
