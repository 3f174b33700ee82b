"""langnet's models, written as other programs read them."""
