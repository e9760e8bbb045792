"""Errors a user can do something about."""


class InputError(ValueError):
    """Bad usage or bad input; the message is one plain sentence that says what is wrong and what to do."""


class CancelledError(Exception):
    """The user asked the run to stop."""


class StorageError(RuntimeError):
    """The results could not be written for want of a place; the message says what to do."""
