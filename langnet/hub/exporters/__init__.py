"""Writers of other programs' files."""
