"""Errors of the Slicer module. Each message is a plain sentence that says what to do.

As in the backend, bad input raises ``dmcvr.core.errors.InputError`` and a cancelled run
``dmcvr.core.errors.CancelledError``.
"""


class WorkerError(RuntimeError):
    """The reconstruction process failed; ``detail`` holds its output, for the log."""

    def __init__(self, message: str, detail: str = ""):
        super().__init__(message)
        self.detail = detail


class InstallationError(RuntimeError):
    """Required packages could not be installed; ``detail`` holds pip's messages."""

    def __init__(self, message: str, detail: str = ""):
        super().__init__(message)
        self.detail = detail
