"""The ledger of releases in an environment's store: what was deployed, when, over which snapshot, and how it did."""
