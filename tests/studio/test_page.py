"""The studio's page: what its files say, and how it behaves in a browser."""

import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from chromium import CHROMIUM, Page, opened
from PIL import Image

from limner.painting.options import PaintOptions
from limner.painting.styles import STYLES
from limner.parsing import parse
from limner.studio.asked import options, spelled
from limner.studio.server import PAGE, Studio

pytestmark = pytest.mark.usefixtures("quick")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def picture() -> bytes:
    return png(Image.radial_gradient("L").resize((24, 18)))


def painted(studio: Studio) -> int:
    """How many strokes there are, once it has painted them."""
    state = studio.easel.state()
    while state["working"]:
        state = studio.easel.wait(state["version"], 60.0)
    return state["strokes"]


@pytest.fixture
def page(studio: Studio, tmp_path: Path) -> Iterator[Page]:
    """The page of a studio that has a picture."""
    studio.easel.put("cat.png", picture())
    with opened(studio.address, tmp_path / "profile") as browser:
        browser.until("document.getElementById('shown').naturalWidth && !document.getElementById('paint').disabled")
        yield browser


@pytest.fixture
def go_on(studio: Studio) -> Iterator[threading.Event]:
    """What lets a painting go on, which waits for it at its first look."""
    event, watch = threading.Event(), studio.easel._watch
    studio.easel._watch = lambda now: (event.wait(60), watch(now))[1]
    yield event
    event.set()


def set_to(page: Page, name: str, value: str) -> None:
    """Type into an option."""
    page.run(f"""{{
        const input = document.querySelector("[name={name}]");
        input.value = {json.dumps(value)};
        input.dispatchEvent(new Event("input", {{ bubbles: true }}));
    }}""")


def drop(page: Page, *names: str) -> None:
    """Drop files on the page, all of the same picture."""
    content = json.dumps(list(picture()))
    page.run(f"""{{
        const dropped = new DataTransfer();
        for (const name of {json.dumps(names)}) dropped.items.add(new File([new Uint8Array({content})], name));
        dispatchEvent(new DragEvent("drop", {{ dataTransfer: dropped, cancelable: true }}));
    }}""")


@in_a_browser
def test_what_is_seen_is_read_out(page: Page, studio: Studio, go_on: threading.Event) -> None:
    """By screen readers, which are not told of every stroke."""
    told = page.read_out()
    assert "Painted" in told["progressbar"]
    assert "Copy the command" in told["button"]
    assert "Longer side of what is saved, in pixels" in told["spinbutton"]
    assert page.run("many.ariaValueText") == "500"
    assert not {"", None} & (told["button"] | told["checkbox"] | told["slider"] | told["spinbutton"])
    set_to(page, "strokes", "5")
    page.click("#paint")
    page.until("told.ariaLive === 'off'")
    go_on.set()
    page.until("told.ariaLive === 'polite' && told.textContent.startsWith('5 strokes')")


@in_a_browser
def test_only_who_means_to_stop_a_painting_does(page: Page, studio: Studio, go_on: threading.Event) -> None:
    """Neither Enter in an option, nor a double click on Paint."""
    set_to(page, "strokes", "7")
    page.click("#paint", times=2)
    page.until("paint.textContent === 'Stop'")
    page.run("document.querySelector('[name=strokes]').focus()")
    page.press("Enter")
    go_on.set()
    assert painted(studio) == 7
    page.until("paint.textContent === 'Paint anew'")


@in_a_browser
def test_the_space_bar_presses_a_button_that_is_reached_by_keyboard(page: Page, studio: Studio) -> None:
    set_to(page, "strokes", "3")
    page.run("document.getElementById('paint').focus()")
    page.press(" ")
    page.until("!further.hidden")
    assert painted(studio) == 3


@in_a_browser
def test_options_that_are_wrong_say_so_themselves(page: Page, studio: Studio) -> None:
    set_to(page, "max_size", "10")
    set_to(page, "min_size", "50")
    page.until("command.textContent.startsWith('Smallest, %: ')")
    page.click("#paint")
    page.until("document.activeElement.name === 'min_size'")
    assert page.run("document.querySelector('details').open")
    set_to(page, "min_size", "5")
    page.until("command.textContent.includes('--min-size 0.05')")
    assert page.run("document.querySelector('input:invalid') === null")
    assert not studio.easel.paintings


def test_the_page_and_the_server_have_the_same_bounds(tmp_path: Path) -> None:
    found: dict[str, dict[str, str]] = {}

    class Options(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = {name: value or "" for name, value in attrs}
            if "name" in given:
                found[given["name"]] = given

    Options().feed(PAGE["index.html"].read_text("utf-8"))
    for name in ("strokes", "seed"):
        assert options({name: int(found[name]["max"])}, "a.png", tmp_path)
    for name, share in {"min_size": 100, "max_size": 100, "pen": 100, "stop_psnr": 1}.items():
        for bound in ("min", "max"):
            assert options({name: float(found[name][bound]) / share}, "a.png", tmp_path)


def light(colour: str) -> float:
    """How light #rrggbb is, as WCAG 2 has it."""
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05


def test_words_and_edges_stand_out() -> None:
    colours = dict(re.findall(r"--(\w+): (#\w{6})", PAGE["page.css"].read_text("utf-8")))
    for ground in ("paper", "desk"):
        for name, least in {"ink": 4.5, "quiet": 4.5, "strong": 4.5, "fault": 4.5, "edge": 3.0}.items():
            assert light(colours[name]) / light(colours[ground]) >= least


@in_a_browser
def test_the_page_fits_its_window(page: Page) -> None:
    """A narrow one, which scrolls under a finger, and a low one, where what has the focus is not under the buttons."""
    for width in (320, 360, 760):
        page.resize(width, 640)
        assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("getComputedStyle(stage).touchAction") == "auto"
    assert page.run("getComputedStyle(brushed).touchAction") == "none"
    page.run("document.querySelector('details').open = true")
    for width, height in ((1280, 500), (360, 500)):
        page.resize(width, height)
        hidden = page.run("""[...options.elements].filter((each) => {
            if (each.matches("fieldset, #actions *, :disabled") || !each.checkVisibility()) return false;
            each.focus();
            return each.getBoundingClientRect().bottom > actions.getBoundingClientRect().top + 1;
        }).map((each) => each.name || each.id)""")
        assert hidden == []


@in_a_browser
def test_a_painting_that_is_not_saved_is_asked_for(page: Page, studio: Studio) -> None:
    set_to(page, "strokes", "3")
    page.click("#paint")
    page.until("!further.hidden")
    page.run("confirm = (words) => ((window.asked = words), false)")
    drop(page, "dog.png")
    page.until("window.asked === 'The painting is not saved. Open another picture?'")
    assert studio.easel.state()["picture"]["name"] == "cat.png"
    page.run("confirm = () => true")
    drop(page, "dog.png")
    page.until("told.textContent.startsWith('dog.png')")


@in_a_browser
def test_what_is_seen_is_loaded_anew_where_it_changes(page: Page, studio: Studio) -> None:
    for strokes in (2, 3):
        studio.easel.paint({"strokes": strokes})
        assert painted(studio) == strokes
        now = f"shown.src.endsWith('&look={studio.easel.state()['look']}')"
        page.until(now)
    studio.easel.saved_as(".json", None)
    page.run("new Promise(done => setTimeout(done, 300))")
    assert page.run(now)


@in_a_browser
def test_two_pictures_that_are_dropped_are_told_of(page: Page, studio: Studio) -> None:
    drop(page, "one.png", "two.png")
    page.until("fault.textContent === 'Drop one picture, as a file.'")
    assert studio.easel.state()["picture"]["name"] == "cat.png"


@in_a_browser
def test_what_is_brushed_over_is_of_one_picture(page: Page, studio: Studio) -> None:
    """And is brushed by the first button of a mouse alone."""
    page.click("#brushing")
    where = page.run("(({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 }))"
                     "(brushed.getBoundingClientRect())")  # fmt: skip
    for button, empty in (("right", True), ("left", False)):
        for what in ("mousePressed", "mouseReleased"):
            page.ask("Input.dispatchMouseEvent", type=what, button=button, clickCount=1, **where)
        assert page.run("document.getElementById('clear').disabled") is empty
    studio.easel.put("dog.png", picture())
    page.until("document.getElementById('clear').disabled")


@in_a_browser
def test_an_answer_that_is_not_of_this_studio_is_told_of(page: Page) -> None:
    """Such as that of another one, which has begun at the same port."""
    page.run("fetch = async () => new Response('<!doctype html>')")
    set_to(page, "strokes", "3")
    page.until("command.textContent.startsWith('The studio of this page is closed')")


@in_a_browser
def test_what_is_chosen_outlasts_the_page(page: Page) -> None:
    set_to(page, "strokes", "77")
    page.run("document.querySelector('details').open = true")
    page.click("[name=upright]")
    page.load("Page.reload")
    page.until("document.querySelector('[name=strokes]').value === '77'")
    assert page.run("document.querySelector('[name=upright]').checked")


@in_a_browser
def test_a_brush_of_ones_own_is_chosen_still_once_the_page_is_loaded_again(page: Page, studio: Studio) -> None:
    studio.easel.put_brush("yours.png", mask())
    page.until("document.querySelector('[value=\"yours.png\"]')")
    page.click("[value='yours.png']")
    page.click("[value=circle]")
    choose(page, "mine.png", mask(), by="brush")
    for _ in range(2):
        page.until("command.textContent.endsWith(' --templates yours.png mine.png')")
        page.load("Page.reload")


@in_a_browser
def test_the_page_works_in_a_browser_that_is_to_keep_nothing(page: Page) -> None:
    denied = "get() { throw new DOMException('', 'SecurityError'); }"
    script = f"Object.defineProperty(window, 'sessionStorage', {{ {denied} }})"
    page.ask("Page.addScriptToEvaluateOnNewDocument", source=script)
    page.load("Page.reload")
    set_to(page, "strokes", "77")
    page.until("command.textContent.endsWith(' -n 77')")


def mask(size: tuple[int, int] = (48, 36), light: int = 255, alpha: int = 255) -> bytes:
    """A picture whose left half is light, of other sizes than the page's own, with a transparent right half."""
    image = Image.new("LA", size)
    image.paste((light, alpha), (0, 0, size[0] // 2, size[1]))
    return png(image)


def choose(page: Page, name: str, content: bytes | str, by: str = "cover") -> None:
    """Take a file of this content, or of what a script has, as a mask, or by another button."""
    held = content if isinstance(content, str) else f"new Uint8Array({json.dumps(list(content))})"
    page.run(f"""{{
        const chosen = new DataTransfer();
        chosen.items.add(new File([{held}], {json.dumps(name)}));
        {by}.files = chosen.files;
        {by}.dispatchEvent(new Event("change"));
    }}""")


BRUSHED = "[...brushed.getContext('2d').getImageData(0, 0, brushed.width, brushed.height).data]"


@in_a_browser
def test_a_mask_is_brushed_over(page: Page, studio: Studio) -> None:
    choose(page, "mask.png", mask())
    page.until("command.textContent.includes('--importance mask.png')")
    alpha = np.reshape(page.run(BRUSHED), (18, 24, 4))[..., 3]
    assert (alpha[:, :11] == 255).all()
    assert (alpha[:, 13:] == 0).all()
    assert page.run("getComputedStyle(brushed).visibility") == "visible"
    for name, content, words in (
        ("dark.png", mask(light=64), "dark.png: is dark everywhere: make it white where it should count."),
        ("text.png", b"text", "text.png: is no picture that this browser reads."),
        ("high.png", mask((36, 48)), "high.png: is 36 × 48 pixels, the picture 24 × 18: they must have the same "),
    ):
        choose(page, name, content)
        page.until(f"fault.textContent.startsWith({json.dumps(words)})")
    assert (np.reshape(page.run(BRUSHED), (18, 24, 4))[..., 3] == alpha).all()
    choose(page, "half.png", mask(alpha=128))
    page.until("fault.textContent === ''")
    assert page.run(BRUSHED)[3] == pytest.approx(255 * (128 - 64) / (255 - 64), abs=2)


@in_a_browser
def test_a_mask_fits_its_picture_before_that_is_seen(page: Page, studio: Studio) -> None:
    page.run("HTMLImageElement.prototype.decode = () => new Promise(() => {})")
    studio.easel.put("tall.png", png(Image.new("L", (30, 60))))
    page.until("told.textContent.startsWith('tall.png')")
    choose(page, "mask.png", mask((30, 60)))
    page.until("fault.textContent || command.textContent.includes('--importance mask.png')")
    assert page.run("[fault.textContent, brushed.width, brushed.height]") == ["", 30, 60]


@in_a_browser
def test_a_mask_needs_a_picture(studio: Studio, tmp_path: Path) -> None:
    with opened(studio.address, tmp_path / "profile") as page:
        page.until("told.ariaLive === 'polite'")  # once it has heard of the studio
        choose(page, "mask.png", mask())
        page.until("fault.textContent === 'Open a picture first, and then its mask.'")


@in_a_browser
def test_a_mask_that_was_saved_is_brushed_over_as_it_was(page: Page, studio: Studio) -> None:
    """Of a picture so narrow that its mask has other proportions, for rounding; and one of all its pixels fits, too."""
    studio.easel.put("narrow.png", png(Image.new("L", (1000, 2))))
    page.until("brushed.width === 768")
    page.run("""{
        const pen = brushed.getContext("2d");
        for (let k = 0; k < 256; k += 1) {
            pen.fillStyle = `rgb(224 160 60 / ${k / 255})`;
            pen.fillRect(3 * k, 0, 3, 4);
        }
        brushed.dispatchEvent(new Event("pointerup"));
        URL.createObjectURL = (file) => ((window.kept = file), "data:,");
    }""")
    before = np.reshape(page.run(BRUSHED), (-1, 4))[:, 3]
    assert {0, 1, 128, 255} <= set(before)
    page.click("#keep")
    page.until("window.kept")
    page.click("#clear")
    choose(page, "mask.png", "window.kept")
    page.until("!document.getElementById('clear').disabled")
    after = np.reshape(page.run(BRUSHED), (-1, 4))[:, 3]
    assert abs(after - before).max() <= 1
    choose(page, "full.png", mask((1000, 2)))
    page.until(f"{BRUSHED}[3] === 255")
    assert page.run("fault.textContent") == ""


@in_a_browser
def test_a_late_answer_is_not_shown(page: Page) -> None:
    page.run("""{
        const usual = fetch, wait = new Promise((yes) => { window.go = yes; });
        let first = true;
        fetch = async (...given) => {
            const late = first;
            first = false;
            const answer = await usual(...given);
            if (late) await wait;
            return answer;
        };
    }""")
    set_to(page, "strokes", "11")
    set_to(page, "strokes", "12")
    page.until("command.textContent.includes('-n 12')")
    page.run("(go(), new Promise((yes) => setTimeout(yes, 200)))")
    assert page.run("command.textContent") == "limner paint cat.png -n 12"


def select(page: Page, value: str) -> None:
    """Choose a style."""
    page.run(f"""{{
        document.getElementById("style").value = {json.dumps(value)};
        document.getElementById("style").dispatchEvent(new Event("input", {{ bubbles: true }}));
    }}""")


@in_a_browser
def test_a_style_chooses_options(page: Page) -> None:
    assert page.run("[...document.querySelectorAll('#style option')].slice(1).map(each => each.value)") == [*STYLES]
    set_to(page, "seed", "3")
    set_to(page, "letters", "AB")
    set_to(page, "min_size", "20")
    for style in STYLES:
        select(page, style)
        usual = {"dots": None, "ink": ("line",), "pencil": ("line",)}  # the brush that is none, or is not said
        asked = parse(["paint", "cat.png", "--seed", "3", "--style", style])
        assert isinstance(asked, PaintOptions)
        command = spelled(replace(asked, style=None, templates=usual.get(style, asked.templates)))
        page.until(f"command.textContent === {json.dumps(command)}")
        assert page.run("document.getElementById('style').value") == style
    set_to(page, "strokes", "50")
    page.until("command.textContent.includes('-n 50 ')")
    assert page.run("document.getElementById('style').value") == "tiles"
    set_to(page, "fill", "gradient")
    assert page.run("document.getElementById('style').value") == ""


@in_a_browser
def test_colours_have_to_be_named(page: Page) -> None:
    set_to(page, "palette", "named")
    page.until("command.textContent === 'Which: Name colours, with commas between them.'")
    set_to(page, "inks", "red")
    page.until("command.textContent.endsWith(' --palette red')")


@in_a_browser
def test_a_browser_that_copies_nothing_says_so(page: Page) -> None:
    page.run("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    page.click("#copy")
    page.until("copy.textContent === 'Not allowed'")
