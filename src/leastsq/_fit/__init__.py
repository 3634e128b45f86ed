"""Run one fit and collect its results."""
