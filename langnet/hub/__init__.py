"""Hub: a model is a folder."""
