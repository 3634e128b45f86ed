"""A model and its data, as residuals and their Jacobian."""
