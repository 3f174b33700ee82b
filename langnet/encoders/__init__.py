"""Encoders: token ids in, the hidden states of every layer out."""
