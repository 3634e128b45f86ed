"""The functions that users give, in the form in which the core calls them."""
