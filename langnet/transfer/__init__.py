"""Transfer: which weights learn, and how fast."""
