"""Linting of migrations, as the SQL that they come to, by squawk."""
