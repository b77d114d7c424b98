"""The tables, the engine and what is written at every start."""
