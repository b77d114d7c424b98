"""Users, sessions, mailed tokens, profiles and the users' own API keys."""
