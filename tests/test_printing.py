import errno
import io
import os
from pathlib import Path

import pytest

from limner import printing
from limner.printing import answer, on_terminal, say, silence, unheard


def test_what_cannot_be_encoded_is_escaped() -> None:
    for encoding, shown in (("ascii", "a \\xe9 \\udcff\n"), ("utf-8", "a é \\udcff\n")):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        say("a é \udcff", stream)
        assert stream.buffer.getvalue().decode(encoding) == shown


def test_a_terminal_obeys_nothing_that_is_printed() -> None:
    stream = io.StringIO()
    say("a\x1b]0;b\a\x9b31m\u202e\r\nc é \u200d", stream)
    assert stream.getvalue() == "a\\x1b]0;b\\x07\\x9b31m\\u202e\\r\\nc é \u200d\n"


def test_a_stream_that_names_no_encoding_takes_anything() -> None:
    stream = io.StringIO()
    say("a é", stream)
    assert (stream.encoding, stream.getvalue()) == (None, "a é\n")


def test_a_line_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is it where Python buffers nothing (PYTHONUNBUFFERED); several processes may print into one pipe."""
    written: list[bytes] = []

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            written.append(bytes(data))
            return len(data)

    say("a line", io.TextIOWrapper(Pipe(), "utf-8", write_through=True))
    assert written == [b"a line\n"]


def test_nobody_need_listen(capsys: pytest.CaptureFixture[str]) -> None:
    say("a", None)
    silence(None)
    assert capsys.readouterr() == ("", "")


def test_a_full_disk_is_no_fault() -> None:
    with Path("/dev/full").open("w") as stream:
        for _ in range(2):
            say("a", stream)
        with unheard(stream):
            print("b", file=stream, flush=True)


def test_a_full_disk_is_a_fault_for_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", 0) as raw:
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, write_through=True))
        with pytest.raises(OSError, match="No space left"):
            answer("a")
    monkeypatch.setattr("sys.stdout", None)
    answer("a")


def test_whoever_has_read_enough_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        for _ in range(2):
            answer("a")


def test_nobody_looks_at_what_is_closed() -> None:
    assert not on_terminal(None)
    assert not on_terminal(io.StringIO())
    (closed := io.StringIO()).close()
    assert not on_terminal(closed)
    stream = io.StringIO()
    stream.isatty = lambda: True
    assert on_terminal(stream)


def test_on_windows_a_pipe_that_nobody_reads_is_an_invalid_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    dropped: list[object] = []

    def refused(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    stream = type("Pipe", (io.StringIO,), {"write": refused})()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(printing, "silence", dropped.append)
    with pytest.raises(OSError, match="Invalid"):
        answer("a")
    monkeypatch.setattr(printing, "WINDOWS", True)
    answer("a")
    assert dropped == [stream]
