"""A stand-in for the application's third parties, with their real paths, headers and errors.

One module is one vendor, and its name the beginning of its paths: ``/openai/v1/models``, ``/resend/domains``.

What it accepts and how it answers is read from files in its state folder on each request:

    accounts.json    keys and sending domains, as the vendors' dashboards would hold them
    behaviour.json   answers that a test asks for instead, such as ``{"openai": {"status": 503}}``
    mails.jsonl      every mail accepted: the test inbox (written here)
    requests.jsonl   every request seen, headers and body included (written here)

All four are readable by their owner only: they hold keys and mailed tokens.
"""
