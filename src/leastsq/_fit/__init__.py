"""One fit: a call of the core, and what came of it."""
