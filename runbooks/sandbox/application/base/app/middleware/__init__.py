"""What surrounds every request: headers, log line, CSRF, rate limits."""
