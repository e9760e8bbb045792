"""What can go wrong on Slicer's side. Each message is a plain sentence that says what to do.

Bad input raises ``dmcvr.core.errors.InputError`` and a cancelled run ``dmcvr.core.errors.CancelledError``, as
in the backend.
"""


class WorkerError(RuntimeError):
    """The reconstruction's own process failed; ``detail`` holds what it said, for the log."""

    def __init__(self, message: str, detail: str = ""):
        super().__init__(message)
        self.detail = detail


class InstallationError(RuntimeError):
    """What the reconstruction needs is not installed, or could not be; ``detail`` holds pip's words."""

    def __init__(self, message: str, detail: str = ""):
        super().__init__(message)
        self.detail = detail
