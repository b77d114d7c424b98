"""Redis, or a server that speaks its protocol."""
