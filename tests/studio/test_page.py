"""The studio's page, as its files have it."""

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
    return PAGE["page.js"].read_text("utf-8")


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
