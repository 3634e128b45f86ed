"""The arguments that users give, checked and converted."""
