"""Test problems of the literature, each written down once."""
