"""`limner studio`: serves the page until Ctrl-C."""

import os
import signal
import sys
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from limner.errors import UserError
from limner.files import reason
from limner.painting.pictures import read_picture
from limner.printing import say
from limner.signals import handled
from limner.studio.easel import Easel
from limner.studio.options import StudioOptions
from limner.studio.server import HOST, Studio


def studio(options: StudioOptions) -> int:
    """Serve the page, and open it in a browser; returns the exit code once it is closed.

    Ctrl-C closes it, the first time only where nothing is lost by that.
    Raises UserError for a picture that cannot be read, and for a port that is taken.
    """
    with TemporaryDirectory(prefix="limner-") as folder:
        easel = Easel(Path(folder))
        if options.photo is not None:
            easel.set(read_picture(options.photo), options.photo.name)
        try:
            server = Studio(easel, options.port)
        except OSError as error:
            raise UserError(f"--port {options.port}: {HOST} cannot be served there: {reason(error)}") from error
        easel.warm()
        with server:
            say(f"limner: the studio is at {server.address}; Ctrl-C closes it", sys.stderr)
            if has_screen() and not options.no_browser:
                Thread(target=webbrowser.open, args=[server.address], daemon=True).start()  # some return when it ends
            serve(server)
    return 0


def has_screen() -> bool:
    """Whether a browser can show a window; where none can, Python would open one in the terminal."""
    shown = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in shown)


def serve(server: Studio) -> None:
    """Serve until Ctrl-C, or another one where a painting has not been saved; other signals end it at once."""
    warned = False

    def asked(*_: object) -> None:
        nonlocal warned
        if warned or server.easel.saved:
            raise KeyboardInterrupt
        warned = True
        say("limner: the painting is not saved: save it on the page, or close with another Ctrl-C", sys.stderr)

    try:
        with handled(asked, signal.SIGINT):
            server.serve_forever()
    except KeyboardInterrupt:
        server.close()
