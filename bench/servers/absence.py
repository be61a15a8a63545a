"""Why a server is not there."""


class NotHereError(Exception):
    """A server cannot be had here; the text says why, for the table."""
