"""Models of other programs, read into langnet's own."""
