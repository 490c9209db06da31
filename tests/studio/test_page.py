"""The studio's page, as its files have it."""

import re
from html.parser import HTMLParser
from pathlib import Path

from limner.studio.asked import options
from limner.studio.server import PAGE


class Parts(HTMLParser):
    """The tags and attributes of what has an id, and of options by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self.options: dict[str, dict[str, str]] = {}
        self.feed(PAGE["index.html"].read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.found[given["id"]] = {"tag": tag, **given}
        if "name" in given:
            self.options[given["name"]] = given


def script() -> str:
    return "".join(PAGE[name].read_text("utf-8") for name in sorted(PAGE) if name.endswith(".js"))


def style() -> str:
    return PAGE["page.css"].read_text("utf-8")


def light(colour: str) -> float:
    """How light #rrggbb is, as WCAG 2 has it."""
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05


def test_what_is_seen_is_read_out() -> None:
    """By screen readers, which are not told of every stroke."""
    parts = Parts().found
    called = {name: part.get("aria-label") for name, part in parts.items()}
    assert (parts["progress"]["tag"], called["progress"]) == ("progress", "Painted")
    assert (parts["copy"]["tag"], called["copy"]) == ("button", "Copy the command")
    assert (parts["saves"].get("role"), called["saves"]) == ("group", "Save as")
    assert called["size"] == "Longer side of what is saved, in pixels"
    assert '$("many").ariaValueText = form.strokes.value' in script()
    assert '$("told").ariaLive = state.working === "painting" ? "off" : "polite"' in script()


def test_only_who_means_to_stop_a_painting_does() -> None:
    """Neither Enter in an option, nor a double click on Paint."""
    assert '$("paint").type = busy ? "button" : "submit"' in script()
    assert "if (event.detail > 1) event.preventDefault()" in script()


def test_the_space_bar_presses_a_button_that_is_reached_by_keyboard() -> None:
    assert "select, summary, button:not(#compare)" in script()


def test_options_that_are_wrong_say_so_themselves(tmp_path: Path) -> None:
    """The page and the server have the same bounds; and a size that a browser refuses is not asked for."""
    parts = Parts().options
    for name in ("strokes", "seed"):
        most = int(parts[name]["max"])
        assert options({name: most}, "a.png", tmp_path)
    for name, share in {"min_size": 100, "max_size": 100, "pen": 100, "stop_psnr": 1}.items():
        for bound in ("min", "max"):
            assert options({name: float(parts[name][bound]) / share}, "a.png", tmp_path)
    asked = script()
    assert "if (!form.reportValidity()) return;" in asked
    assert '|| !$("size").reportValidity()) return;' in asked
    assert "form.min_size.max = form.max_size.value || 100" in asked


def test_words_and_edges_stand_out() -> None:
    colours = dict(re.findall(r"--(\w+): (#\w{6})", style()))
    for ground in ("paper", "desk"):
        for name, least in {"ink": 4.5, "quiet": 4.5, "strong": 4.5, "fault": 4.5, "edge": 3.0}.items():
            assert light(colours[name]) / light(colours[ground]) >= least
    assert "border: 1px solid var(--edge)" in style()
    assert "color-scheme: dark" in style()


def test_a_narrow_page_does_not_scroll_sideways_and_a_picture_does_not_hold_it() -> None:
    narrow = style().partition("@media (max-width: 760px)")[2]
    assert "minmax(0, 1fr)" in narrow
    assert "form { overflow: visible; }" in narrow
    rules = dict(re.findall(r"^(#[^{]*) {([^}]*)}", style(), re.MULTILINE))
    assert "flex-wrap: wrap" in rules["#saves"]
    assert ["touch-action" in rules[name] for name in ("#stage", "#stage canvas")] == [False, True]


def test_a_new_picture_asks_for_a_painting_that_is_not_saved_and_begins_with_nothing_brushed_over() -> None:
    assert "const lost = state.unsaved" in script()
    assert "if (!file || (lost && !confirm(" in script()
    assert "if (state.number !== before.number) mask.clear()" in script()
    assert "if (files.length === 1) open(files[0]);" in script()


def test_only_one_finger_and_only_the_first_button_of_a_mouse_brush() -> None:
    assert "if (event.button || !event.isPrimary) return;" in script()


def test_an_answer_that_is_not_of_this_studio_is_told_of() -> None:
    """Such as that of another one, which has begun at the same port."""
    assert "error instanceof TypeError || error instanceof SyntaxError" in script()


def test_what_is_chosen_outlasts_the_page() -> None:
    assert "sessionStorage.setItem" in script()
    assert "  keep();\n}" in script()
    assert "\nrestore();\nsuit(form.strokes);" in script()


def test_what_has_the_focus_is_not_under_the_buttons_that_stay() -> None:
    assert "#actions { position: sticky" in style()
    assert "html, form { scroll-padding-bottom" in style()
