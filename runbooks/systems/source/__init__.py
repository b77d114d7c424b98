"""The checkout of a release, read without running it, and its settings, loaded in its own interpreter."""
