"""Real processes, ended by a real SIGKILL, and what the next command makes of it."""
