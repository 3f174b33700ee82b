"""Recipes: the verbs of langnet, each a plain function over the rooms below."""
