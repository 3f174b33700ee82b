"""Kinds of supervised tasks: files in, scores and files out. `registry` lists them."""
