"""Reads the mail of throw-away users: from the providers' stand-in, or by IMAP."""
