"""The exceptions that others tell apart: the input is at fault, a signal came, numbers are no longer numbers."""


class UserError(ValueError):
    """A fault of the input; the message is one line that names the file or value and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class Stopped(Exception):
    """Work ended early, in good order, because it was asked to by Ctrl-C, SIGTERM or SIGHUP."""


class NotFinite(ValueError):
    """Moves or a canvas that hold NaN or infinity, as those of a network that diverged do."""
