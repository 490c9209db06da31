"""The studio's page and what it asks for, over HTTP, to this computer alone and under an address that is a secret."""

import json
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe
from threading import Event
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from limner.errors import UserError
from limner.painting.arguments import LONGEST_SIDE
from limner.painting.outputs import SPECIAL
from limner.painting.painting import SUFFIXES
from limner.painting.styles import STYLES
from limner.studio.easel import Easel
from limner.systems import WINDOWS

HOST = "127.0.0.1"
PAGE = {file.name: file for file in (Path(__file__).parent / "page").iterdir()}
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".psd": "image/vnd.adobe.photoshop",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
"""What files are, by suffix: browsers run no script that is sent as text, which Windows may say that it is."""
MOST = 2**28
"""Bytes of a picture."""
DIGITS = 12
"""Of a number that is understood."""
ALIVE = 15.0
"""Seconds after which a page that waits for news is sent the old."""
LOOK = 1024
"""Pixels of what is shown, unless it is said."""


class Studio(ThreadingHTTPServer):
    """A server whose pages share one easel.

    address: of the page. Others on this computer, and other pages in the same browser, do not know it.
    Raises OSError where the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = not WINDOWS
    """Whether a port that was just let go may be taken; on Windows it would be one that is in use."""
    allow_reuse_port = False
    answering: set[Event]
    """For each answer that is being made, and should not be cut off, what is set once it is sent."""

    def __init__(self, easel: Easel, port: int = 0) -> None:
        super().__init__((HOST, port), Handler)
        self.easel = easel
        self.secret = token_urlsafe(12)
        self.answering = set()
        self.closing = False

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://{HOST}:{self.server_address[1]}/{self.secret}/"

    def close(self) -> None:
        """End what is painted, and wait for that and for what is being saved; nothing more is answered."""
        self.closing = True
        self.easel.close()
        for sent in list(self.answering):
            sent.wait()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that does not wait for an answer is no fault."""


class Handler(BaseHTTPRequestHandler):
    """Answers one browser."""

    protocol_version = "HTTP/1.1"

    @property
    def studio(self) -> Studio:
        """The server that this is of."""
        assert isinstance(self.server, Studio)
        return self.server

    def do_GET(self) -> None:
        """What is to be seen."""
        name, asked = self._asked()
        side = partial(_whole, asked, "size", LOOK, LONGEST_SIDE)
        looks: dict[str, Callable[[], tuple[str, bytes]]] = {
            "look": lambda: self.studio.easel.look(side(), _whole(asked, "strokes", None, 2**31)),
            "photo": lambda: self.studio.easel.photo(side()),
            "styles.json": lambda: (".json", json.dumps(STYLES).encode()),
        }
        if name == "events":
            self._events()
        elif name in looks:
            self._try(lambda: self._send(*looks[name]()))
        elif name is not None and (file := PAGE.get(name or "index.html")):
            self._send(file.suffix, file.read_bytes())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """What is to be done."""
        name, asked = self._asked()
        easel = self.studio.easel
        if name is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content = self._content()
        if content is None:
            return
        called = next(iter(asked.get("name", [])), "")
        doing: dict[str, Callable[[], Any]] = {
            "photo": lambda: easel.put(called, content),
            "mask": lambda: easel.put_mask(content),
            "brush": lambda: easel.put_brush(called, content),
            "command": lambda: easel.command(_object(content)),
            "paint": lambda: easel.paint(_object(content)),
            "stop": easel.stop,
            "back": easel.back,
        }
        if (suffix := name.replace("save/", ".")) in (*SUFFIXES, *SPECIAL):
            self._try(lambda: self._send(suffix, easel.saved_as(suffix, _whole(asked, "size", None, LONGEST_SIDE))))
        elif name in doing:
            self._try(lambda: self._send(".json", json.dumps(doing[name]()).encode()))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""

    def _asked(self) -> tuple[str | None, dict[str, list[str]]]:
        """What is named after the secret, None without it, and what is asked of that."""
        parts = urlsplit(self.path)
        secret, slash, name = parts.path.removeprefix("/").partition("/")
        return (unquote(name) if secret == self.studio.secret and slash else None), parse_qs(parts.query)

    def _content(self) -> bytes | None:
        """What was sent with it; None, and an answer, where that is too much."""
        length = self.headers.get("Content-Length", "0")
        whole = length.isdecimal() and "Transfer-Encoding" not in self.headers
        if not whole:
            status, words = HTTPStatus.LENGTH_REQUIRED, "it is not said how long it is"
        elif len(length) > DIGITS or int(length) > MOST:
            status, words = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a file of more than {MOST >> 20} MiB is not taken"
        elif len(content := self.rfile.read(int(length))) < int(length):
            status, words = HTTPStatus.BAD_REQUEST, "it was cut short"
        else:
            return content
        self.close_connection = True
        self._fault(status, words)
        return None

    def _try(self, answer: Callable[[], None]) -> None:
        """Answer, or say why not."""
        self.studio.answering.add(sent := Event())
        try:
            if self.studio.closing:
                raise ConnectionAbortedError
            answer()
        except ConnectionError:
            raise
        except UserError as fault:
            self._fault(HTTPStatus.BAD_REQUEST, self.studio.easel.words(fault))
        except Exception as fault:  # for memory, or a full disk, say
            self._fault(HTTPStatus.INTERNAL_SERVER_ERROR, f"it failed: {str(fault) or type(fault).__name__}")
        finally:
            self.studio.answering.discard(sent)
            sent.set()

    def _fault(self, status: HTTPStatus, words: str) -> None:
        self._send(".json", json.dumps({"fault": words}).encode(), status)

    def _send(self, suffix: str, content: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", KINDS.get(Path(f"file{suffix}").suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def _events(self) -> None:
        """Send the state whenever it is another, until the page is closed."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        state = self.studio.easel.state()
        while True:
            self.wfile.write(f"data: {json.dumps(state)}\n\n".encode())
            self.wfile.flush()
            state = self.studio.easel.wait(state["version"], ALIVE)


def _whole(asked: dict[str, list[str]], name: str, default: Any, most: int) -> Any:
    """A number that is asked for; UserError for anything else."""
    if name not in asked:
        return default
    value = asked[name][0]
    if not (value.isdecimal() and len(value) <= DIGITS and int(value) <= most):
        raise UserError(f"{name}: {value[:99]} is not a whole number up to {most}")
    return int(value)


def _object(content: bytes) -> dict[str, Any]:
    """JSON that was sent; UserError for anything but an object."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError("what is asked for is no JSON object")
    return value
