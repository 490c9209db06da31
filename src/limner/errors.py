"""The one exception that means: the input is at fault, not the program."""


class UserError(ValueError):
    """A fault of the input; the message is one line that names the file or value and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
