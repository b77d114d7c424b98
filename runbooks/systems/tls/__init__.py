"""TLS handshakes, looked at closely: what is agreed on, until when the certificate lasts, and why it is not trusted."""
