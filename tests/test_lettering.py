"""Letters and words: the masks are what another program draws of the same font."""

import io
from pathlib import Path

import numpy as np
import pytest
import resvg_py
import torch
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
from matplotlib import get_data_path
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from PIL import Image, ImageOps

import limner
from limner.errors import UserError
from limner.lettering import LONGEST, spelt, written
from limner.painting.brushes import bank_of
from limner.templates import TemplateBank
from limner.tracing import drawn

FONTS = Path(get_data_path(), "fonts", "ttf")
BOLD, SERIF = FONTS / "DejaVuSans-Bold.ttf", FONTS / "DejaVuSerif.ttf"
BITS = """STARTFONT 2.1
FONT -limner-bits-medium-r-normal--8-80-75-75-c-80-iso10646-1
SIZE 8 75 75
FONTBOUNDINGBOX 8 8 0 0
STARTPROPERTIES 2
CHARSET_REGISTRY "ISO10646"
CHARSET_ENCODING "1"
ENDPROPERTIES
CHARS 1
STARTCHAR A
ENCODING 65
SWIDTH 1000 0
DWIDTH 8 0
BBX 8 2 0 0
BITMAP
FF
FF
ENDCHAR
ENDFONT
"""
"""A font of pixels."""
COMMANDS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
"""Of SVG, by the codes of matplotlib."""


def elsewhere(text: str, font: Path, size: int) -> torch.Tensor:
    """The text as large as fits: laid out by matplotlib, drawn by resvg."""
    path = TextPath((0, 0), text, 100, prop=FontProperties(fname=str(font)))
    parts = []
    for points, code in path.iter_segments(simplify=False):
        numbers = " ".join(f"{x:.4f} {-y:.4f}" for x, y in points.reshape(-1, 2))
        parts.append(COMMANDS[code] + (numbers if COMMANDS[code] != "Z" else ""))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -100 600 140"><path d="{"".join(parts)}"/></svg>'
    png = resvg_py.svg_to_bytes(svg_string=svg, width=3000, height=700)
    alpha = Image.open(io.BytesIO(png)).getchannel("A")
    inked = alpha.crop(alpha.getbbox())
    square = ImageOps.pad(inked, (max(inked.size),) * 2)
    return torch.from_numpy(np.array(square.resize((size, size), Image.Resampling.BOX), np.float32)) / 255


def unlike(mask: torch.Tensor, other: torch.Tensor) -> float:
    """Share of the second by which they differ."""
    return ((mask - other).abs().sum() / other.sum()).item()


@pytest.mark.parametrize("font", [BOLD, SERIF], ids=["bold", "serif"])
@pytest.mark.parametrize("text", ["A", "g", "i", "Ω", "&", "AVATAR", "two words", "été"])
def test_masks_are_as_another_program_draws_them(text: str, font: Path) -> None:
    mask = written(text, font, 128)
    assert unlike(mask, elsewhere(text, font, 128)) < (0.08 if len(text) > 1 else 0.05)
    assert ((mask * 255).round() / 255 == mask).all()


def test_a_text_is_as_large_as_fits() -> None:
    for text in ("W", "l", "wide as a word", "_"):
        inside = written(text, BOLD, 64) > 0.1
        ends = [line.nonzero().flatten()[[0, -1]].tolist() for line in (inside.any(1), inside.any(0))]
        assert [0, 63] in ends, text
        assert all(62 <= sum(found) <= 64 for found in ends), text


def test_letters_are_brushes_of_their_own_and_a_text_is_one() -> None:
    assert TemplateBank.load("letters:Tomato tom").names == ("T", "o", "m", "a", "t")
    assert TemplateBank.load(["text:Tomato tom", "circle"], size=32).names == ("Tomato tom", "circle")
    both = bank_of(["letters:ab", "text:ab", "square"])
    assert both.names == ("a", "b", "ab", "square")
    alone = bank_of("letters:ab")
    assert torch.equal(TemplateBank.load("LETTERS:ab", len(alone.masks[0])).masks, alone.masks)


def test_words_are_brushes_of_their_own() -> None:
    assert TemplateBank.load("words:to be or\nnot to be").names == ("to", "be", "or", "not")
    alone, among = TemplateBank.load("text:not"), TemplateBank.load("words:or not")
    assert torch.equal(alone.masks[0], among.masks[1])


def test_accents_belong_to_their_letters() -> None:
    assert bank_of("letters:e\N{COMBINING ACUTE ACCENT}e").names == ("é", "e")


def test_marks_stay_with_letters_that_are_not_one_with_them() -> None:
    tilde, joiner = "\N{COMBINING TILDE}", "\N{ZERO WIDTH JOINER}"
    emoji = "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}"
    assert bank_of(f"letters:q{tilde}aq{tilde}").names == (f"q{tilde}", "a")
    assert bank_of(f"letters:{joiner}I{emoji}U").names == ("I", emoji, "U")
    with pytest.raises(UserError, match="says nothing"):
        bank_of(f"text:{joiner}")


@pytest.mark.parametrize("between", ["\n", r"\n", " \r\n"], ids=["break", "typed", "windows"])
def test_a_text_may_have_lines(between: str) -> None:
    bank = bank_of(f"text:no{between}nonono")
    assert bank.names == ("no nonono",)
    inside = bank.masks[0] > 0.5
    inked = inside.any(1)
    starts = (inked[1:] & ~inked[:-1]).nonzero().flatten() + 1
    assert len(starts) == 2
    first, second = (part.any(0).nonzero().flatten()[[0, -1]] for part in inside.tensor_split(starts[1:]))
    assert second.tolist() == [0, len(inside) - 1]
    assert abs(first.sum() - second.sum()) <= len(inside) / 50
    assert 2.5 < second.diff() / first.diff() < 3.5


def test_tabs_are_spaces() -> None:
    assert torch.equal(bank_of("text:a\tb").masks, bank_of("text:a b").masks)


def test_letters_have_outlines_at_any_size() -> None:
    bank = bank_of(["letters:R8"])
    assert bank.scalable
    for k, letter in enumerate("R8"):
        assert unlike(drawn(bank.outlines[k], 400), elsewhere(letter, BOLD, 400)) < 0.02


def test_a_text_of_many_words_has_an_outline() -> None:
    text = "It was the best of times, it was the worst of times"
    bank = bank_of(f"text:{text}")
    assert bank.scalable
    assert unlike(drawn(bank.outlines[0], 1024), written(text, BOLD, 1024)) < 0.02


def test_a_font_of_ones_own(tmp_path: Path) -> None:
    font = tmp_path / "mine@home.TTF"
    font.write_bytes(SERIF.read_bytes())
    assert spelt(f"text:me@work@{font}") == [("me@work", font)]
    assert torch.equal(TemplateBank.load(f"letters:R@{font}").masks[0], written("R", SERIF, 64))
    assert spelt("text:me@work") == [("me@work", BOLD)]


def test_a_font_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.ttf").write_bytes(SERIF.read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert spelt("letters:R@~/mine.ttf") == [("R", tmp_path / "mine.ttf")]


def test_a_font_of_symbols_that_does_not_go_by_unicode(tmp_path: Path) -> None:
    font = TTFont(SERIF)
    letters = font.getBestCmap()
    assert letters is not None
    symbols = CmapSubtable.newSubtable(4)
    symbols.platformID, symbols.platEncID, symbols.language = 3, 0, 0
    symbols.cmap = {0xF000 + number: letters[number] for number in range(32, 127)}
    font["cmap"].tables = [symbols]
    font.save(tmp_path / "dings.ttf")
    assert torch.equal(bank_of(f"letters:R@{tmp_path}/dings.ttf").masks, bank_of(f"letters:R@{SERIF}").masks)
    with pytest.raises(UserError, match="has no 'Ω'"):
        bank_of(f"letters:Ω@{tmp_path}/dings.ttf")


def test_letters_of_a_painting_that_goes_on_beside_a_long_text_are_the_same(tmp_path: Path) -> None:
    limner.paint(torch.rand(3, 24, 24), 4, templates="letters:AB").save(tmp_path / "ab.json")
    templates = ["text:a long text", "letters:BC", f"letters:A@{SERIF}"]
    more = limner.paint(torch.rand(3, 24, 24), 4, resume=tmp_path / "ab.json", templates=templates)
    assert more.bank.names == ("A", "B", "a long text", "C", "A")


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8), 255).save(tmp_path / "text:ab", "PNG")
    assert TemplateBank.load("text:ab").masks.min() == 1


def test_a_font_without_letters_and_words_without_a_quote_are_told() -> None:
    with pytest.raises(UserError, match="ttf: is a font: say what to write in it, such as letters:ABC@"):
        bank_of(SERIF)
    with pytest.raises(UserError, match=r"world: is no template: expected circle, .* or 'text:some words'"):
        bank_of(["text:hello", "world"])


@pytest.mark.parametrize("text", ["letters:AB", f"text:{'ABCDE' * 10}"])
def test_a_font_of_letters_that_are_far_too_large(text: str, tmp_path: Path) -> None:
    content = bytearray(BOLD.read_bytes())
    tables = {
        bytes(content[k : k + 4]): int.from_bytes(content[k + 8 : k + 12]) for k in range(12, 12 + 16 * content[5], 16)
    }
    head = tables[b"head"]
    content[head + 18 : head + 20] = (16).to_bytes(2)  # units of an em, in which outlines are given
    (tmp_path / "huge.ttf").write_bytes(content)
    with pytest.raises(UserError, match=r"huge\.ttf: .* cannot be drawn \("):
        bank_of(f"{text}@{tmp_path / 'huge.ttf'}")


def test_what_shows_nothing() -> None:
    with pytest.raises(UserError, match="shows nothing in DejaVuSans-Bold") as raised:
        bank_of("letters:\N{BRAILLE PATTERN BLANK}")
    assert "cannot be drawn" not in str(raised.value)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.ttf").write_text("no font")
    (tmp_path / "empty.ttf").touch()
    (tmp_path / "bits.pcf").write_text(BITS)
    for words, told in {
        "letters:": "says nothing",
        "text: \n": "says nothing",
        "text:a愛": "DejaVuSans-Bold.ttf has no '愛'",
        "letters:a\tb\N{SNOWMAN}": None,
        f"text:{'ab' * LONGEST}": f"has {2 * LONGEST} characters",
        f"letters:a@{tmp_path}/none.ttf": "none.ttf: no such file",
        f"letters:a@{tmp_path}/no.ttf": "no.ttf: is no font",
        f"letters:a@{tmp_path}/empty.ttf": "empty.ttf: is empty",
        f"letters:A@{tmp_path}/bits.pcf": "bits.pcf: 'A' cannot be drawn",
        f"letters:a@{tmp_path}/none.woff2": "none.woff2: no such file",
    }.items():
        if told is None:
            assert len(bank_of(words)) == 3
            continue
        with pytest.raises(UserError, match=told) as raised:
            bank_of(words)
        assert "\n" not in str(raised.value)
    assert spelt("letter:a") is None
    assert spelt("circle") is None
