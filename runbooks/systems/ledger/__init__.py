"""The watch's ledger: what was sampled and rehearsed, in files that are only ever appended to."""
