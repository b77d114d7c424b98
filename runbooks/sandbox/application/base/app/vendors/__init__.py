"""The language-model vendors, asked over HTTP."""
