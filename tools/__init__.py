"""Tools of the project itself; none is installed."""
