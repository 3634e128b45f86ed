"""Data in parts: what a part evaluates, where the parts are, and who evaluates them."""
