"""One package per outside system; only here are SDKs imported and processes started."""
