"""The studio, as its page uses it: over HTTP."""

import io
import json
import mimetypes
import os
import re
import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http.client import HTTPConnection
from http.server import HTTPServer
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
import pytest
import torch
from numba.core import event
from PIL import Image, ImageDraw

import limner
from limner.cli import main, parse
from limner.errors import NotFinite, UserError
from limner.painting import raster
from limner.painting.options import PaintOptions
from limner.painting.outputs import SPECIAL
from limner.painting.painting import SUFFIXES
from limner.painting.progress import Progress
from limner.painting.reading import settings
from limner.studio.asked import options, spelled
from limner.studio.command import serve
from limner.studio.easel import Easel
from limner.studio.server import KINDS, MOST, PAGE, Studio

pytestmark = pytest.mark.usefixtures("quick")


def picture(mode: str = "RGB", size: tuple[int, int] = (24, 18), kind: str = "PNG") -> bytes:
    """A file of a picture in which no two places are the same."""
    image = Image.merge("RGB", [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.new("L", (256, 256), 90)])
    if mode == "RGBA":
        image.putalpha(Image.radial_gradient("L"))
    return encoded(image.resize(size), kind)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def get(studio: Studio, path: str) -> bytes:
    with urlopen(studio.address + path, timeout=60) as answer:
        return answer.read()


def send(studio: Studio, path: str, content: bytes | dict[str, Any] = b"") -> bytes:
    """What a POST is answered."""
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    with urlopen(Request(studio.address + path, content, method="POST"), timeout=60) as answer:
        return answer.read()


def fault(ask: Callable[[], object]) -> tuple[int, str]:
    """The status and the words that something is refused with."""
    with pytest.raises(HTTPError) as error:
        ask()
    with error.value as answer:
        return answer.code, json.loads(answer.read())["fault"]


def painted(studio: Studio, **asked: Any) -> dict[str, Any]:
    """Have it paint; returns the state when it is done."""
    send(studio, "paint", asked)
    return rested(studio)


def rested(studio: Studio) -> dict[str, Any]:
    state = studio.easel.state()
    while state["working"]:
        state = studio.easel.wait(state["version"], 60.0)
    return state


def test_what_is_saved_is_what_the_command_saves(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is the one that the page shows."""
    monkeypatch.chdir(tmp_path)
    asked = {"strokes": 5, "templates": ["square", "line"], "opacity": "0.5", "palette": 3, "max_size": 0.5, "seed": 7}
    asked |= {"upright": True, "background": "#203040"}
    Path("a b.png").write_bytes(picture())
    send(studio, "photo?name=a%20b.png", picture())
    state = painted(studio, **asked)
    assert (state["strokes"], state["paintings"], state["fault"]) == (5, 1, "")
    line = json.loads(send(studio, "command", asked))
    assert line.startswith("limner paint 'a b.png' -n 5 --templates square line --opacity 0.5")
    assert main([*shlex.split(line)[1:], "-o", "x.png", "-o", "x.svg", "-o", "x.json", "-o", "x.gif", "-q"]) == 0
    for kind in ("png", "svg", "json", "gif"):
        assert send(studio, f"save/{kind}") == Path(f"x.{kind}").read_bytes()
    assert state["psnr"] == pytest.approx(limner.Painting.load("x.json").against("a b.png").psnr_of("x.png"), abs=0.006)
    assert pixels(send(studio, "save/png?size=100")).shape == (75, 100, 3)


def test_every_option_that_the_page_has_is_spelled(tmp_path: Path) -> None:
    asked = {
        "strokes": 3,
        "templates": ["circle", "my leaf.svg"],
        "opacity": "opaque",
        "fill": "gradient",
        "background": "#ffffff",
        "min_size": 0.05,
        "max_size": 0.5,
        "keep_proportions": True,
        "upright": True,
        "keep_angles": True,
        "importance": True,
        "seed": 9,
        "stop_psnr": 20.5,
        "time": 3,
    }
    found = options(asked, "x y.jpg", tmp_path)
    read = parse(shlex.split(spelled(found))[1:])
    assert isinstance(read, PaintOptions)
    lettered = options({"templates": ["letters:A/b c"], "palette": ["red", "#ffe0a0"]}, "x.jpg", tmp_path)
    assert spelled(lettered) == "limner paint x.jpg --templates 'letters:A/b c' --palette 'red,#ffe0a0'"
    drawn = options({"strokes": 3, "templates": ["line"], "pen": 0.002}, "x.jpg", tmp_path)
    assert parse(shlex.split(spelled(drawn))[1:]) == drawn
    assert found.templates == ("circle", str(tmp_path / "brushes" / "my leaf.svg"))
    names = replace(found, templates=("circle", "my leaf.svg"), importance=Path("mask.png"))
    assert read == names
    away = options({"templates": ["../x.png", "a/../../b.svg"]}, "a.png", tmp_path)
    assert away.templates == (str(tmp_path / "brushes" / "x.png"), str(tmp_path / "brushes" / "b.svg"))
    dashes = options({"templates": ["-r.png"]}, "-n.png", tmp_path)
    assert spelled(dashes) == "limner paint ./-n.png --templates ./-r.png"


def test_on_windows_commands_have_double_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.flags.WINDOWS", True)
    asked = options({"templates": ["letters:AB", "it's.svg"], "palette": ["red", "#ffe0a0"]}, "a b.jpg", tmp_path)
    line = 'limner paint "a b.jpg" --templates letters:AB "it\'s.svg" --palette "red,#ffe0a0"'
    assert spelled(asked) == line


def test_letters_and_colours_by_name_and_plots(studio: Studio) -> None:
    send(studio, "photo?name=photo.png", picture())
    state = painted(studio, strokes=4, templates=["letters:ab"], palette=["red", "navy"], opacity="opaque")
    assert (state["strokes"], state["fault"]) == (4, "")
    painting = studio.easel.painting()
    assert painting.bank.names == ("a", "b")
    assert {tuple(ink) for ink in painting.strokes.what[0].mul(255).round().tolist()} <= {(255, 0, 0), (0, 0, 128)}
    code, words = fault(lambda: send(studio, "save/plot.svg"))
    assert (code, words.startswith("painting.plot.svg: a plotter draws lines")) == (400, True)
    painted(studio, strokes=4, templates=["line"], pen=0.05)
    assert b"inkscape:groupmode" in send(studio, "save/plot.svg")
    code, words = fault(lambda: send(studio, "paint", {"templates": ["letters:愛"]}))
    assert (code, "has no '愛'" in words) == (400, True)


def test_paintings_are_saved_as_all_that_paint_saves(studio: Studio, tmp_path: Path) -> None:
    kinds = re.search(r"const KINDS = (\[.*\]);", PAGE["page.js"].read_text())
    assert kinds
    assert {f".{kind}" for kind in json.loads(kinds[1])} == {*SUFFIXES, *SPECIAL} - {".jpeg"}
    send(studio, "photo?name=photo.png", picture())
    painted(studio, strokes=3)
    for kind in ("film.svg", "film.webp"):
        studio.easel.painting().save(tmp_path / f"x.{kind}")
        assert send(studio, f"save/{kind}") == (tmp_path / f"x.{kind}").read_bytes()


def test_what_is_seen_is_the_painting_as_it_is(studio: Studio) -> None:
    send(studio, "photo?name=photo.png", picture())
    assert np.abs(pixels(get(studio, "look?size=24")).astype(int) - pixels(picture())).max() < 12
    painted(studio, strokes=6)
    painting = studio.easel.painting()
    for count in (0, 4, 6):
        wanted = raster.encoded(next(iter(painting.stages([count], (36, 48)))), ".jpg")
        assert get(studio, f"look?size=48&strokes={count}") == wanted
    assert get(studio, "look?size=48") == wanted
    assert pixels(get(studio, "photo?size=12")).shape == (9, 12, 3)


def test_a_painting_is_seen_while_it_grows(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, bytes]] = []
    watch = studio.easel._watch

    def watched(progress):
        watch(progress)
        seen.append((progress.strokes, get(studio, "look?size=24")))
        assert progress.painting is not None
        assert len(progress.painting().strokes) == progress.strokes

    monkeypatch.setattr(studio.easel, "_watch", watched)
    send(studio, "photo?name=photo.png", picture())
    painted(studio, strokes=4)
    assert len({count for count, _ in seen}) > 1
    assert len({content for _, content in seen}) > 2
    assert seen[-1][0] == 4


def test_what_grows_lies_on_what_is_resumed(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a painting that is looked at later is as it was after its round."""
    send(studio, "photo?name=photo.png", picture())
    painted(studio, strokes=4)
    watch, seen = studio.easel._watch, []

    def watched(progress):
        watch(progress)
        seen.append((progress, progress.painting(), progress.painting().strokes.where.clone()))

    monkeypatch.setattr(studio.easel, "_watch", watched)
    painted(studio, strokes=3, resume=True)
    for progress, painting, where in seen:
        assert len(painting.strokes) == 4 + progress.strokes
        assert torch.equal(progress.painting().strokes.where, where)
        assert torch.equal(painting.strokes.where, where)
    assert not torch.equal(seen[-1][2], seen[-2][2])


def test_transparent_pictures_stay_so(studio: Studio) -> None:
    send(studio, "photo?name=clear.png", picture("RGBA"))
    seen, wanted = pixels(get(studio, "photo?size=24")).astype(int), pixels(picture("RGBA")).astype(int)
    assert np.abs(seen[..., 3] - wanted[..., 3]).max() <= 1
    assert np.abs(seen[..., :3] - wanted[..., :3])[wanted[..., 3] > 9].max() <= 16
    painted(studio, strokes=3)
    assert pixels(get(studio, "look?size=24")).shape == (18, 24, 4)


def test_events_tell_of_all_that_happens(studio: Studio) -> None:
    with urlopen(studio.address + "events", timeout=60) as news:
        assert news.headers["Content-Type"] == "text/event-stream"

        def state() -> dict[str, Any]:
            line = news.readline().decode()
            assert news.readline() == b"\n"
            return json.loads(line.removeprefix("data: "))

        first = state()
        assert first["picture"] is None
        send(studio, "photo?name=photo.png", picture())
        assert state()["picture"] == {"name": "photo.png", "width": 24, "height": 18}
        send(studio, "paint", {"strokes": 3})
        states = [state()]
        while states[-1]["working"]:
            states.append(state())
        assert {"painting"} <= {each["working"] for each in states}
        done = [each["done"] for each in states]
        assert done == sorted(done)
        assert (states[-1]["strokes"], states[-1]["paintings"]) == (3, 1)


def test_stopping_keeps_what_there_is(studio: Studio) -> None:
    send(studio, "photo?name=photo.png", picture())
    studio.easel.paint({"strokes": 40})
    send(studio, "stop")
    state = rested(studio)
    assert 0 < state["strokes"] < 40
    assert state["paintings"] == 1
    assert painted(studio, strokes=5)["strokes"] == 5  # and the next is not stopped


def test_stopping_before_the_first_stroke_leaves_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    send(studio, "photo?name=photo.png", picture())
    monkeypatch.setattr(limner, "paint", interrupted)
    state = painted(studio, strokes=4)
    assert (state["paintings"], state["fault"]) == (0, "")
    assert studio.easel.saved


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (NotFinite("a fault"), "a fault"),
        (RuntimeError("a fault"), "it cannot be painted: a fault"),
        (MemoryError(), "it cannot be painted: MemoryError"),
    ],
)
def test_a_painting_that_breaks_off_is_told_of(
    studio: Studio, fault: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise fault

    send(studio, "photo?name=photo.png", picture())
    monkeypatch.setattr(limner, "paint", broken)
    state = painted(studio, strokes=4)
    assert state["fault"] == words
    assert state["paintings"] == 0


def test_what_is_exact_has_no_score(studio: Studio) -> None:
    send(studio, "photo?name=flat.png", encoded(Image.new("RGB", (8, 8), (50, 100, 150))))
    assert painted(studio, strokes=0)["psnr"] is None


def test_a_new_picture_has_no_paintings(studio: Studio) -> None:
    send(studio, "photo?name=photo.png", picture())
    first = painted(studio, strokes=2)
    send(studio, "photo?name=photo.png", picture())
    state = studio.easel.state()
    assert (state["paintings"], state["number"]) == (0, first["number"] + 1)
    assert studio.easel.saved


def test_only_the_last_painting_keeps_what_it_is_rendered_from(studio: Studio) -> None:
    send(studio, "photo?name=photo.png", picture())
    for _ in range(3):
        painted(studio, strokes=2)
        get(studio, "look?size=48")
    kept = [bool(done.painting.bank.__dict__.get("_kept")) for done in studio.easel.paintings]
    assert kept == [False, False, True]


def test_what_is_saved_is_the_painting_that_is_shown(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is saved while the next is painted does not make that safe, too."""
    send(studio, "photo?name=photo.png", picture())
    assert studio.easel.saved
    painted(studio, strokes=2)
    assert not studio.easel.saved
    go_on, watch = threading.Event(), studio.easel._watch
    monkeypatch.setattr(studio.easel, "_watch", lambda progress: (go_on.wait(60), watch(progress)))
    send(studio, "paint", {"strokes": 3})
    send(studio, "save/json")
    assert not studio.easel.saved
    go_on.set()
    rested(studio)
    assert not studio.easel.saved
    send(studio, "save/png")
    assert studio.easel.saved
    send(studio, "back")
    assert studio.easel.saved
    assert painted(studio, strokes=2, max_size=0.001)["fault"]
    assert studio.easel.saved


def test_pages_are_told_whether_the_painting_is_saved(studio: Studio) -> None:
    assert studio.easel.state()["unsaved"] is False
    send(studio, "photo?name=photo.png", picture())
    state = painted(studio, strokes=2)
    assert state["unsaved"] is True
    send(studio, "save/json")
    assert studio.easel.wait(state["version"], 0.0)["version"] > state["version"]
    assert studio.easel.state()["unsaved"] is False
    assert studio.easel.state()["look"] == state["look"]
    painted(studio, strokes=2)
    assert studio.easel.state()["unsaved"] is True
    send(studio, "back")
    assert studio.easel.state()["unsaved"] is False


def test_that_kernels_are_compiled_is_told(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    watch = studio.easel._watch

    def compiled(progress):
        with event.trigger_event("numba:compile"):
            seen.append(studio.easel.state()["working"])
        seen.append(studio.easel.state()["working"])
        watch(progress)

    monkeypatch.setattr(studio.easel, "_watch", compiled)
    send(studio, "photo?name=photo.png", picture())
    painted(studio, strokes=2)
    assert seen[:2] == ["compiling", "painting"]


def test_one_thing_at_a_time(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    watch = studio.easel._watch
    monkeypatch.setattr(studio.easel, "_watch", lambda progress: (go_on.wait(60), watch(progress)))
    send(studio, "photo?name=photo.png", picture())
    send(studio, "paint", {"strokes": 3})
    for path, content in (("paint", {"strokes": 2}), ("back", {}), ("photo?name=b.png", picture())):
        code, words = fault(lambda path=path, content=content: send(studio, path, content))
        assert (code, words) == (400, "a painting is not done yet: stop it first")
    go_on.set()
    assert rested(studio)["strokes"] == 3


def test_a_picture_that_comes_between_is_not_painted_over(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(asked):
        studio.easel.put("other.png", picture())
        return settings(asked)

    send(studio, "photo?name=photo.png", picture())
    monkeypatch.setattr("limner.studio.easel.settings", slow)
    assert fault(lambda: send(studio, "paint", {"strokes": 2})) == (
        400,
        "another picture has been opened meanwhile: paint that",
    )


def test_painting_waits_for_what_is_compiled_ahead(studio: Studio) -> None:
    compiled = threading.Event()
    studio.easel.warm()
    assert studio.easel._warming
    studio.easel._warming.join()
    studio.easel._warming = threading.Thread(target=compiled.wait, args=[60])
    studio.easel._warming.start()
    send(studio, "photo?name=photo.png", picture())
    before = studio.easel.state()["version"]
    send(studio, "paint", {"strokes": 3})
    while (state := studio.easel.wait(before, 60.0))["working"] != "compiling":
        before = state["version"]
    compiled.set()
    assert rested(studio)["strokes"] == 3


def test_closing_ends_what_is_compiled_ahead(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ended beside it would be aborted."""
    began = threading.Event()

    def paint(*_: object, progress: Callable[[Progress], object]) -> None:
        began.set()
        while True:
            progress(Progress(0.0, 1.0, 0))

    monkeypatch.setattr(limner, "paint", paint)
    studio.easel.warm()
    began.wait(60)
    studio.easel.close()
    assert studio.easel._warming
    assert not studio.easel._warming.is_alive()


def test_strokes_are_added_and_replaced_where_it_is_brushed(studio: Studio) -> None:
    """The left half is brushed over."""
    send(studio, "photo?name=photo.png", picture())
    painted(studio, strokes=8)
    first = studio.easel.painting()
    mask = Image.new("L", (24, 18))
    ImageDraw.Draw(mask).rectangle((0, 0, 11, 17), fill=255)
    send(studio, "mask", encoded(mask))
    state = painted(studio, strokes=3, resume=True, repaint=True)
    second = studio.easel.painting()
    centres = limner.geometry.invert(first.strokes.where)[0, :, 0, 2]
    kept = first.strokes.where[0][centres > 0]
    assert 0 < len(kept) < 8
    assert all(any(torch.equal(one, other) for other in second.strokes.where[0]) for one in kept)
    assert state["strokes"] == 11
    assert state["paintings"] == 2
    assert painted(studio, strokes=2, resume=True, templates=["square"])["strokes"] == 13
    assert set(studio.easel.painting().bank.names) == {"circle", "square"}
    send(studio, "back")
    assert torch.equal(studio.easel.painting().strokes.where, second.strokes.where)


def test_a_painting_that_was_saved_is_gone_on_with(studio: Studio) -> None:
    send(studio, "photo?name=photo.png", picture())
    first = painted(studio, strokes=4)
    content = send(studio, "save/json")
    assert fault(lambda: send(studio, "photo?name=x.json", b"{}"))[1].startswith("x.json: ")
    send(studio, "photo?name=photo.png", picture())
    send(studio, "photo?name=Yesterday.JSON", content)
    state = studio.easel.state()
    assert [state[name] for name in ("paintings", "strokes", "unsaved", "number")] == [1, 4, False, first["number"] + 1]
    assert state["psnr"] == first["psnr"]
    assert send(studio, "save/json") == content
    assert painted(studio, strokes=2, resume=True)["strokes"] == 6
    send(studio, "photo?name=photo.png", picture(size=(18, 24)))
    code, words = fault(lambda: send(studio, "photo?name=x.json", content))
    assert (code, "must have the same proportions" in words) == (400, True)
    assert studio.easel.state()["paintings"] == 0


def test_what_is_brushed_over_matters(studio: Studio, tmp_path: Path) -> None:
    mask = Image.new("L", (24, 18), 64)
    ImageDraw.Draw(mask).rectangle((0, 0, 7, 17), fill=255)
    send(studio, "photo?name=photo.png", picture())
    send(studio, "mask", encoded(mask))
    painted(studio, strokes=5, importance=True)
    (tmp_path / "mask.png").write_bytes(encoded(mask))
    wanted = limner.paint(picture(), 5, importance=tmp_path / "mask.png")
    assert torch.equal(studio.easel.painting().strokes.where, wanted.strokes.where)


def test_brushes_of_ones_own(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ring = Image.new("L", (64, 64))
    ImageDraw.Draw(ring).ellipse((4, 4, 59, 59), outline=255, width=8)
    send(studio, "photo?name=photo.png", picture())
    send(studio, "brush?name=..%2F..%2Fring.png", encoded(ring))
    assert studio.easel.state()["brushes"] == ["ring.png"]
    assert [file.name for file in studio.easel.folder.rglob("*.png")] == ["ring.png"]
    assert not (tmp_path / "ring.png").exists()
    painted(studio, strokes=3, templates=["ring.png"])
    assert studio.easel.painting().bank.names == ("ring",)
    for name in ("bad.png", "ring.png"):
        words = f"{name}: is not a picture of a known format"
        assert fault(lambda name=name: send(studio, f"brush?name={name}", b"no mask")) == (400, words)
    send(studio, "brush?name=ring.png", encoded(ring))
    assert studio.easel.state()["brushes"] == ["ring.png"]
    painted(studio, strokes=2, templates=["ring.png"])
    (tmp_path / "circle").write_text("precious")
    for name in ("circle", "..", "", "a.txt", "x" * 300 + ".png", "a%00.png", "a%03%0A.png"):
        code, words = fault(lambda name=name: send(studio, f"brush?name={name}", encoded(ring)))
        assert code in (400, 500)
        assert words
    assert (tmp_path / "circle").read_text() == "precious"
    assert [file.name for file in studio.easel.folder.rglob("*.*")] == ["ring.png"]
    code, words = fault(lambda: send(studio, "paint", {"templates": ["bad.png"]}))
    assert (code, "bad.png: is no template" in words) == (400, True)


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("photo?name=a.txt", b"hello", "a.txt: is not a picture of a known format"),
        ("photo?name=cut.png", picture()[:200], "cut.png: "),
        ("photo?name=none.png", b"", "none.png: is empty"),
        ("mask", b"hello", "what is brushed over: is not a picture"),
        ("paint", {"strokes": 5}, "there is no picture yet: open one"),
        ("command", {"strokes": -1}, "--strokes -1: expected 0 to 100000"),
        ("command", {"strokes": None}, "--strokes: None cannot be understood"),
        ("command", {"foo": None}, "--foo: None cannot be understood"),
        ("command", {"min_size": 10**400}, "--min-size: 1000"),
        ("command", {"strokes": True}, "--strokes: True cannot be understood"),
        ("command", {"strokes": 5.5}, "--strokes: 5.5 cannot be understood"),
        ("command", {"strokes": "5"}, "--strokes: '5' cannot be understood"),
        ("command", {"output": ["x.png"]}, "--output: ['x.png'] cannot be understood"),
        ("command", {"palette": "a.txt"}, "--palette: 'a.txt' cannot be understood"),
        ("command", {"palette": ["red", "a.txt"]}, '"a.txt" is no colour'),
        ("command", {"palette": True}, "--palette: True cannot be understood"),
        ("command", {"min_size": 0.5, "max_size": 0.25}, "--min-size: 0.5 is larger than --max-size, 0.25"),
        ("command", {"repaint": True}, "--repaint: mask.png needs strokes to repaint"),
        ("command", {"templates": []}, "--templates names none"),
        ("command", b"[1]", "what is asked for is no JSON object"),
        ("command", b"{", "what is asked for is no JSON object"),
        ("command", b'{"a":' + b"[" * 100_000, "what is asked for is no JSON object"),
        ("save/png", b"", "nothing is painted yet"),
        ("back", b"", "nothing is painted yet"),
    ],
)
def test_what_cannot_be_done_is_told(studio: Studio, path: str, content: bytes | dict[str, Any], words: str) -> None:
    code, told = fault(lambda: send(studio, path, content))
    assert code == 400
    assert told.startswith(words)
    assert str(studio.easel.folder) not in told


def test_a_command_that_is_pasted_into_a_terminal_only_names_its_picture(studio: Studio) -> None:
    send(studio, "photo?name=a%03%0Areboot%1b.png", picture())
    assert json.loads(send(studio, "command", {})) == r"limner paint 'a\x03\nreboot\x1b.png'"


def test_faults_of_a_painting_are_told(studio: Studio) -> None:
    """The page hears of what is found to be wrong once it is painted, and of sizes of what is saved."""
    send(studio, "photo?name=photo.png", picture())
    assert painted(studio, strokes=3, max_size=0.001)["fault"].startswith("--max-size")
    assert studio.easel.state()["paintings"] == 0
    code, words = fault(lambda: send(studio, "paint", {"strokes": 3, "background": "blau"}))
    assert (code, "blau" in words) == (400, True)
    assert painted(studio, strokes=3)["fault"] == ""
    for size in ("0", "x", "99999", "9" * 5000):
        code, words = fault(lambda size=size: send(studio, f"save/png?size={size}"))
        assert (code, str(studio.easel.folder) in words) == (400, False)
        if size != "0":
            assert fault(lambda size=size: get(studio, f"look?size={size}"))[0] == 400
    for path in ("save/bmp", "save/", "save/x/../../png", "save/..%2Fx.png"):
        with pytest.raises(HTTPError) as error:
            send(studio, path)
        error.value.close()
        assert error.value.code == 404
    assert not list(studio.easel.folder.rglob("*"))


def test_only_who_knows_the_address_is_answered(studio: Studio) -> None:
    assert b"<title>limner</title>" in get(studio, "")
    assert b"EventSource" in get(studio, "page.js")
    base = studio.address.rsplit("/", 2)[0]
    for path in (
        "/",
        "/page.js",
        "/wrong/",
        f"/{studio.secret}",
        f"/{studio.secret}x/",
        f"/{studio.secret}/../server.py",
    ):
        with pytest.raises(HTTPError) as error:
            urlopen(base + path, timeout=60)
        error.value.close()
        assert error.value.code == 404
    for path in ("..%2Foptions.py", "%2e%2e/options.py", "nothing", "page/"):
        with pytest.raises(HTTPError) as error:
            get(studio, path)
        error.value.close()
        assert error.value.code == 404
    with pytest.raises(HTTPError) as error:
        urlopen(Request(f"{base}/stop", b"", method="POST"), timeout=60)
    error.value.close()
    assert error.value.code == 404
    assert studio.server_address[0] == "127.0.0.1"


def asked_raw(studio: Studio, head: str, body: bytes = b"") -> list[bytes]:
    """The status of each answer of a connection, until it is closed."""
    with socket.create_connection(studio.server_address[:2], timeout=60) as connection:
        connection.sendall(head.replace("SECRET", studio.secret).encode() + b"\r\n\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(partial(connection.recv, 1 << 16), b""))
    return re.findall(rb"HTTP/1\.1 (\d+)", answer)


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("POST /SECRET/stop HTTP/1.1\r\nTransfer-Encoding: chunked", b"GET /SECRET/page.css HTTP/1.1\r\n\r\n", b"411"),
        ("POST /SECRET/stop HTTP/1.1\r\nContent-Length: x", b"GET / HTTP/1.1\r\n\r\n", b"411"),
        ("POST /SECRET/command HTTP/1.1\r\nContent-Length: 50", b"{}", b"400"),
        (f"POST /SECRET/mask HTTP/1.1\r\nContent-Length: {'9' * 5000}", b"x", b"413"),
        (f"POST /wrong/mask HTTP/1.1\r\nContent-Length: {2**27}", b"GET / HTTP/1.1\r\n\r\n", b"404"),
        ("HEAD /SECRET/ HTTP/1.1", b"", b"501"),
    ],
)
def test_what_is_no_request(studio: Studio, head: str, body: bytes, status: bytes) -> None:
    assert asked_raw(studio, head, body) == [status]


def test_nothing_is_kept_by_a_browser(studio: Studio) -> None:
    with urlopen(studio.address + "page.css", timeout=60) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Type"] == "text/css"


def test_a_script_is_sent_as_one_whatever_the_system_takes_it_for(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    mimetypes.init()
    monkeypatch.setitem(mimetypes.types_map, ".js", "text/plain")  # as the registry of Windows may have it
    with urlopen(studio.address + "page.js", timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/javascript"


def test_all_that_may_be_sent_is_of_a_known_kind() -> None:
    assert {*SUFFIXES, *(Path(name).suffix for name in PAGE)} <= KINDS.keys()


def test_no_two_studios_share_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTPServer, "allow_reuse_port", True)  # as it is in some versions of Python
    with Studio(Easel(tmp_path)) as first, pytest.raises(OSError, match="in use"):
        Studio(Easel(tmp_path), first.server_address[1]).server_close()


def test_faults_do_not_tell_of_folders_of_the_studio() -> None:
    for folder in (PurePosixPath("/t/limner-x"), PureWindowsPath("C:\\t\\limner-x")):
        for inside in ("", "brushes", "tmp_a1"):
            fault = UserError(f"{folder / inside / 'leaf.svg'}: is empty")
            easel = Easel(Path())
            easel.folder = folder  # pyright: ignore[reportAttributeAccessIssue]
            assert easel.words(fault) == "leaf.svg: is empty"


def test_no_file_is_too_large_for_memory(studio: Studio) -> None:
    request = Request(studio.address + "photo?name=huge.png", b"x", {"Content-Length": str(MOST + 1)}, method="POST")
    assert fault(lambda: urlopen(request, timeout=60)) == (413, "a file of more than 256 MiB is not taken")


def interrupted_after(ready: Callable[[], bool]) -> threading.Thread:
    def interrupt() -> None:
        try:
            for _ in range(3000):
                if ready():
                    break
                time.sleep(0.01)
        finally:  # or it is served for ever
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    return thread


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_asks_once_where_something_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[Studio] = []
    monkeypatch.setattr(Studio, "close", lambda server: closed.append(server))
    with Studio(Easel(tmp_path)) as server:
        thread = interrupted_after(lambda: bool(get(server, "")))
        serve(server)
        thread.join()
        assert capsys.readouterr().err == ""
        server.easel.put("photo.png", picture())
        server.easel.paint({"strokes": 3})
        rested(server)
        warned: list[str] = []
        first = interrupted_after(lambda: bool(get(server, "")))
        second = interrupted_after(lambda: warned.append(capsys.readouterr().err) or any(warned))
        serve(server)
        first.join()
        second.join()
        assert "".join(warned) == (
            "limner: the painting is not saved: save it on the page, or close with another Ctrl-C\n"
        )
        server.easel.saved_as(".json", None)
        thread = interrupted_after(lambda: bool(get(server, "")))
        serve(server)
        thread.join()
        assert closed == [server] * 3


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("asked", "screen", "silent"), [([], "x", False), (["--no-browser"], "x", True), ([], "", True)]
)
def test_the_command_serves_a_picture_until_ctrl_c(
    asked: list[str],
    screen: str,
    silent: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened: list[str] = []
    folders: list[Path] = []
    served = threading.Event()
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.setenv(name, screen)
    monkeypatch.setattr("webbrowser.open", lambda address: (opened.append(address), served.set()))
    warm = Easel.warm
    monkeypatch.setattr(Easel, "warm", lambda easel: (folders.append(easel.folder), warm(easel)))
    (tmp_path / "a.png").write_bytes(picture())
    told: list[str] = []

    def looked() -> bool:
        told.append(capsys.readouterr().err)
        address = re.search(r"http://127\.0\.0\.1:\d+/[^/]+/", "".join(told))
        if not address or not (silent or served.is_set()):
            return False
        with urlopen(address[0] + "photo?size=24", timeout=60) as answer:
            assert pixels(answer.read()).shape == (18, 24, 3)
        return True

    thread = interrupted_after(looked)
    assert main(["studio", str(tmp_path / "a.png"), *asked]) == 0
    thread.join()
    assert len(opened) == (0 if silent else 1)
    assert all(address in "".join(told) for address in opened)
    assert [folder.exists() for folder in folders] == [False]


def test_closing_ends_what_is_painted(studio: Studio) -> None:
    studio.easel.put("photo.png", picture())
    studio.easel.paint({"strokes": 40})
    studio.close()
    assert not studio.easel.state()["working"]
    assert 0 < studio.easel.state()["strokes"] < 40


def test_closing_waits_for_what_is_saved_but_not_for_browsers(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which keep connections for what they may ask next; that is not answered."""
    held = threading.Event()
    monkeypatch.setattr(studio.easel, "saved_as", lambda *_: held.wait(60) and b"saved")
    parts = urlsplit(studio.address)
    browser = HTTPConnection(parts.netloc, timeout=60)
    browser.request("POST", f"{parts.path}save/png")
    while not studio.answering:
        time.sleep(0.01)
    threading.Timer(0.3, held.set).start()
    closing = threading.Thread(target=studio.close, daemon=True)
    closing.start()
    assert browser.getresponse().read() == b"saved"
    assert browser.sock
    closing.join(30)
    assert not closing.is_alive()
    browser.request("POST", f"{parts.path}command", b"{}")
    with pytest.raises(ConnectionError):
        browser.getresponse()
    browser.close()


def test_faults_before_the_page_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    assert main(["studio", str(bad), "--no-browser"]) == 2
    assert main(["studio", str(tmp_path / "none.png"), "--no-browser"]) == 2
    assert main(["studio", "--port", "70000"]) == 2
    with Studio(Easel(tmp_path)) as server:
        assert main(["studio", "--no-browser", "--port", str(server.server_address[1])]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "bad.png: is not a picture" in lines[0]
    assert "none.png: no such file" in lines[1]
    assert "--port 70000: expected 0 to 65535" in lines[2]
    assert "127.0.0.1 cannot be served there" in lines[3]


def test_names_of_files_may_be_too_long(studio: Studio) -> None:
    studio.easel.put("é" * 300 + ".png", picture())
    studio.easel.paint({"strokes": 1})
    studio.easel._thread.join()
    content = studio.easel.saved_as(".json", None)
    for name in ("a" * 260 + ".json", "é" * 110 + ".json", "\u202e" * 40 + ".json"):
        with pytest.raises(UserError, match=r"^(aaa|ééé|.u202e).*…: is too long a name$"):
            studio.easel.put(name, content)
    with pytest.raises(UserError, match=r"^aaa.*…: is too long a name$"):
        studio.easel.put_brush("a" * 260 + ".png", picture())
    studio.easel.put("é" * 90 + ".json", content)
    assert len(studio.easel.paintings) == 2
