"""Readers of other programs' files: every format by its content, streamed, and nothing in them executed."""
