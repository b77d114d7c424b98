"""PostgreSQL as its operators see it."""
