"""A painting taken apart by its colours."""

from dataclasses import replace
from pathlib import Path

import pytest
import resvg_py
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from limner import geometry
from limner.errors import UserError
from limner.painting.painting import Painting
from limner.painting.plates import plates, save_plates
from limner.strokes import Strokes
from limner.templates import TemplateBank

INKS = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0.2, 0.8, 0.4]])


def painting(opacity: float | None, background: torch.Tensor | None, moves: int = 9) -> Painting:
    where = geometry.phi(torch.rand(moves, 2) - 0.5, 0.2 + 0.3 * torch.rand(moves, 2), torch.rand(moves) * 6)
    what = INKS[torch.arange(moves) % 3][None]
    layers = None if opacity is None else opacity * torch.rand(1, moves)
    return Painting(
        Strokes(where[None], torch.ones(1, moves, 1), what, layers, depth=torch.rand(1, moves)),
        TemplateBank.named("circle", size=64),
        background,
        (40, 60),
    )


@given(opacity=st.sampled_from([None, 1.0, 0.4]), ground=st.sampled_from([None, (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)]))
def test_the_shares_of_all_colours_make_the_painting(
    opacity: float | None, ground: tuple[float, float, float] | None
) -> None:
    background = None if ground is None else torch.tensor(ground)
    whole = painting(opacity, background)
    apart = plates(whole)
    shares = torch.stack([1 - plate.canvas[0, 0] for plate in apart.values()])
    colours = torch.tensor([list(bytes.fromhex(colour)) for colour in apart]) / 255
    made = torch.einsum("khw,kc->chw", shares, colours)
    torch.testing.assert_close(made, whole.canvas[0], rtol=0, atol=1e-5)
    if background is not None:
        torch.testing.assert_close(shares.sum(0), torch.ones(40, 60), rtol=0, atol=1e-5)
    assert len(apart) == 3 + (ground == (1.0, 1.0, 1.0))


def test_colours_come_in_the_order_of_painting_and_once() -> None:
    whole = painting(None, torch.ones(3))
    assert [*plates(whole)] == ["ffffff", "ff0000", "0000ff", "33cc66"]
    gray = replace(whole, strokes=replace(whole.strokes, what=torch.full((1, 9, 1), 0.5)), background=torch.ones(1))
    assert [*plates(gray)] == ["ffffff", "808080"]


def test_plates_are_of_the_size_of_the_picture() -> None:
    whole = replace(painting(None, torch.ones(3)), picture_size=(400, 600))
    assert {plate.shown_size for plate in plates(whole).values()} == {(400, 600)}
    whole = painting(None, torch.ones(3)).against(torch.rand(3, 200, 300))
    assert {plate.shown_size for plate in plates(whole).values()} == {(200, 300)}


def test_what_has_no_plates() -> None:
    whole = painting(None, None)
    slope = torch.full((1, 9, 3, 2), 0.1)
    with pytest.raises(UserError, match="plates: a gradient"):
        plates(replace(whole, strokes=replace(whole.strokes, slope=slope)))
    assert len(plates(replace(whole, strokes=replace(whole.strokes, slope=0 * slope)))) == 3
    many = painting(None, None, 65)
    with pytest.raises(UserError, match="plates: strokes of 65 colours are too many for plates"):
        plates(replace(many, strokes=replace(many.strokes, what=torch.rand(1, 65, 3))))


def test_a_file_for_each_colour(tmp_path: Path) -> None:
    whole = painting(None, torch.ones(3))
    for suffix in ("png", "svg"):
        written = save_plates(whole, tmp_path / f"p-{{colour}}.{suffix}", 120)
        names = [f"p-{colour}.{suffix}" for colour in ("ffffff", "ff0000", "0000ff", "33cc66")]
        assert {file.name: strokes for file, strokes in written.items()} == dict(zip(names, (0, 3, 3, 3), strict=True))
        assert sorted(file.name for file in tmp_path.glob(f"*.{suffix}")) == sorted(names)
    with Image.open(tmp_path / "p-0000ff.png") as file:
        assert file.size == (120, 80)
        drawn = torch.frombuffer(bytearray(file.convert("L").tobytes()), dtype=torch.uint8)
    svg = resvg_py.svg_to_bytes(svg_path=str(tmp_path / "p-0000ff.svg"))
    (tmp_path / "again.png").write_bytes(svg)
    with Image.open(tmp_path / "again.png") as file:
        again = torch.frombuffer(bytearray(file.convert("L").tobytes()), dtype=torch.uint8)
    assert (drawn.float() - again.float()).abs().mean() < 1
