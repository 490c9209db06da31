"""A page in a headless Chromium, driven through pipes (the Chrome DevTools Protocol)."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-background-networking", "disable-sync", "no-first-run")
PATIENCE = 120_000
"""Milliseconds after which what is waited for will not come."""
KEYS = {"Enter": (13, "\r"), " ": (32, " "), "Tab": (9, "")}


class Page:
    """A page, in which scripts are run, and keys and buttons are pressed as by hand."""

    def __init__(self, address: str, writes: BinaryIO, reads: BinaryIO) -> None:
        self._writes, self._reads = writes, reads
        self._asked, self._session, self._loads = 0, {}, 0
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        self.ask("Page.enable")
        self.load("Page.navigate", url=address)

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """The answer to a command of the protocol."""
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": given, **self._session}
        self._writes.write(json.dumps(message).encode() + b"\0")
        self._writes.flush()
        while (answer := self._heard()).get("id") != self._asked:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def load(self, method: str, **given: Any) -> None:
        """Navigate or reload, and wait until the page's scripts have run."""
        before = self._loads
        self.ask(method, **given)
        while self._loads == before:
            self._heard()

    def _heard(self) -> dict[str, Any]:
        """The next message, an answer or an event."""
        found = bytearray()
        while (part := self._reads.read(1)) != b"\0":
            assert part, "Chromium has ended"
            found += part
        message = json.loads(found)
        self._loads += message.get("method") == "Page.loadEventFired"
        return message

    def run(self, script: str) -> Any:
        """The value of a script, or of what it promises."""
        found = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        """Return as soon as a script is true."""
        self.run(f"""new Promise((yes, no) => {{
            setTimeout(() => no(new Error("is not so")), {PATIENCE});
            const look = () => ({condition}) ? yes() : setTimeout(look, 10);
            look();
        }})""")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        code, text = KEYS[key]
        given = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **given)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **given)

    def click(self, place: str, times: int = 1) -> None:
        """Click on what a selector finds, once or twice in quick succession."""
        at = self.run(f"""(() => {{
            const box = document.querySelector({json.dumps(place)});
            box.scrollIntoView();
            const {{ x, y, width, height }} = box.getBoundingClientRect();
            return {{ x: x + width / 2, y: y + height / 2 }};
        }})()""")
        for count in range(1, times + 1):
            for what in ("mousePressed", "mouseReleased"):
                self.ask("Input.dispatchMouseEvent", type=what, button="left", clickCount=count, **at)

    def resize(self, width: int, height: int) -> None:
        """Have a window of so many pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def read_out(self) -> dict[str, set[str]]:
        """What a screen reader is told of: the names of things by their roles."""
        found: dict[str, set[str]] = {}
        for node in self.ask("Accessibility.getFullAXTree")["nodes"]:
            if not node["ignored"]:
                role, name = (node.get(part, {}).get("value", "") for part in ("role", "name"))
                found.setdefault(role, set()).add(name)
        return found


@contextmanager
def opened(address: str, folder: Path) -> Iterator[Page]:
    """A page in a Chromium of its own, whose files are kept in a folder."""
    assert CHROMIUM
    (theirs, to_chromium), (from_chromium, ours) = os.pipe(), os.pipe()
    flags = [f"--{flag}" for flag in (*FLAGS, "remote-debugging-pipe", f"user-data-dir={folder}")]
    command = ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{ours}', "bash", CHROMIUM, *flags]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, pass_fds=[theirs, ours], stdin=quiet, stdout=quiet, stderr=quiet) as process:
        os.close(theirs)
        os.close(ours)
        try:
            with os.fdopen(to_chromium, "wb") as writes, os.fdopen(from_chromium, "rb") as reads:
                yield Page(address, writes, reads)
        finally:
            process.kill()
