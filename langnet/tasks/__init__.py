"""Tasks: hidden states in, a loss, a prediction and a metric out."""
