"""The two ways in which langnet speaks to a person about trouble: an error that stops, a warning that does not."""

import warnings


class LangnetError(Exception):
    """A mistake that the person at the keyboard can mend.

    The message is one line: what happened, with which value (file and line where there is one), and what to do
    next. The command line prints it without a traceback and exits with code 2.
    """


class LangnetWarning(UserWarning):
    """Something that a person should know about a result or an input, although the work goes on."""


def warn(message: str) -> None:
    """Issue a `LangnetWarning` that points at the caller's caller."""
    warnings.warn(message, LangnetWarning, stacklevel=3)
