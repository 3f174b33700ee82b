"""Evaluate: scores, their intervals and their neighbours."""
