"""Studies: questions asked of models, and the reports that answer them."""
