"""Settings, encryption and logging."""
