"""The services around the application that people use: Discord, GitHub, Sentry, Datadog."""
