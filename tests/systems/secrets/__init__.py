"""Secret sources: what they read, what they refuse, and that they never show a value."""
