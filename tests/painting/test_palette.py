import numpy as np
import pytest
import torch
from hypothesis import given, strategies
from scipy.cluster.vq import kmeans2
from torch import Tensor

import limner
from limner.painting.light import UNIMPORTANT, says
from limner.painting.palette import _refined, inks_of
from limner.painting.pictures import Picture, read_picture
from limner.painting.sides import working_side

FLAT = torch.tensor([[0, 0, 0], [230, 30, 40], [30, 160, 60], [250, 200, 20], [255, 255, 255]]) / 255


def suiting(picture: Picture, count: int, ground: Tensor | None = None) -> Tensor:
    found = inks_of(count, picture, ground, 3)
    assert found is not None
    return found


def nearest(colours: Tensor, found: Tensor) -> Tensor:
    """How far each of these colours is from what was found."""
    return torch.cdist(colours, found).amin(1)


def discs(side: int) -> Tensor:
    """White, with a disc of each other colour whose edge is smooth over a pixel."""
    canvas = torch.ones(3, side, side)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    for place, ink in enumerate(FLAT[:4]):
        across, down = (0.3 + 0.4 * (place % 2)) * side, (0.3 + 0.4 * (place // 2)) * side
        cover = (0.17 * side - torch.hypot(x - across, y - down) + 0.5).clamp(0, 1)
        canvas = canvas * (1 - cover) + ink[:, None, None] * cover
    return canvas


@pytest.mark.parametrize("side", [160, 900])
def test_flat_colours_are_found(side: int) -> None:
    assert side == 160 or side > working_side((side, side), 500)
    found = suiting(read_picture(discs(side)), len(FLAT))
    assert len(found) == len(FLAT)
    assert nearest(FLAT, found).max() < 0.03


@given(strategies.integers(1, 12), strategies.integers(1, 12), strategies.sampled_from([1, 3]))
def test_few_colours_are_taken_as_they_are(distinct: int, count: int, channels: int) -> None:
    torch.manual_seed(distinct)
    colours = (torch.randperm(32)[:distinct, None].expand(-1, channels) * 255 / 31).round() / 255
    picture = Picture(colours[torch.arange(480) % distinct].mT.reshape(channels, 20, 24), None, "few")
    found = suiting(picture, count)
    assert len(found) == min(count, distinct)
    if count >= distinct:
        assert torch.equal(found, colours.expand(-1, 3).unique(dim=0))


@pytest.mark.parametrize("count", [2, 8])
def test_a_fine_pattern_on_a_large_picture_is_seen(count: int) -> None:
    red = (torch.arange(900) % 2).expand(1100, -1)
    found = suiting(read_picture(torch.stack([red, 0 * red, 1 - red]).float()), count)
    assert found.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_one_colour_is_found_exactly_however_large_it_is() -> None:
    for value in range(0, 256, 7):
        flat = Picture(torch.full((1, 512, 512), value / 255), None, "flat")
        assert (suiting(flat, 1) * 255).round().tolist() == [[value] * 3]


def test_rare_colours_are_found_beside_a_frequent_one() -> None:
    others = torch.randperm(16, generator=torch.Generator().manual_seed(0))[:15].float() / 16 + 0.03
    rare = torch.cartesian_prod(others[:4], others[4:8], others[8:12])
    pixels = torch.tensor([0.3, 0.7, 0.55])[:, None, None].repeat(1, 500, 500)
    pixels[:, 0, : len(rare)] = rare.mT
    assert nearest(rare, suiting(read_picture(pixels[:, :400]), 65)).max() < 0.01


def loss(flat: Tensor, colours: Tensor) -> float:
    return nearest(flat, colours).square().mean().item()


def least_loss(flat: Tensor, count: int) -> float:
    """Of five runs of another k-means."""
    runs = [
        kmeans2(flat.double().numpy(), count, iter=50, minit="++", seed=np.random.default_rng(seed))[0]
        for seed in range(5)
    ]
    return min(loss(flat, torch.from_numpy(colours).float()) for colours in runs)


@pytest.mark.parametrize("count", [2, 5, 16])
def test_no_worse_than_another_k_means(count: int) -> None:
    pixels = torch.rand(3, 60, 80, generator=torch.Generator().manual_seed(count)) ** 2
    flat = pixels.flatten(1).mT
    assert loss(flat, suiting(read_picture(pixels), count)) < 1.05 * least_loss(flat, count)


@pytest.mark.parametrize(("seed", "count"), [(4, 5), (7, 8), (8, 12)])
def test_no_worse_where_one_start_is_not_enough(seed: int, count: int) -> None:
    made = torch.Generator().manual_seed(seed)
    middles, spread = torch.rand(20, 3, generator=made), 0.01 + 0.06 * torch.rand(20, 1, generator=made)
    kind = torch.randint(20, (6000,), generator=made)
    flat = (middles[kind] + spread[kind] * torch.randn(6000, 3, generator=made)).clamp(0, 1)
    picture = Picture(flat.mT.reshape(3, 60, 100).contiguous(), None, "clusters")
    assert loss(flat, suiting(picture, count)) < 1.05 * least_loss(flat, count)


def test_the_same_colours_for_the_same_picture() -> None:
    picture = read_picture(torch.rand(3, 40, 50))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = suiting(picture, 7)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(suiting(picture, 7), first)


def half_shown() -> Picture:
    """Green that is hidden, red that is not, and blue of half the opacity."""
    image = torch.tensor([0.0, 1, 0, 0])[:, None, None].repeat(1, 10, 15)
    image[:, 5:] = torch.tensor([1.0, 0, 0, 1])[:, None, None]
    image[:, :, 10:] = torch.tensor([0.0, 0, 1, 0.5])[:, None, None]
    return read_picture(image)


def test_what_is_hidden_has_no_say() -> None:
    assert suiting(half_shown(), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert suiting(half_shown(), 1)[0].tolist() == pytest.approx([170 / 255, 0, 85 / 255])
    nothing = read_picture(torch.zeros(4, 5, 5))
    assert len(suiting(nothing, 3)) == 1


def test_on_a_ground_colours_are_those_that_show() -> None:
    found = suiting(half_shown(), 3, torch.ones(3))
    assert found.tolist() == [[pytest.approx(128 / 255), pytest.approx(128 / 255), 1], [1, 0, 0], [1, 1, 1]]
    gray = Picture(torch.zeros(1, 4, 4), torch.full((4, 4), 0.5), "gray")
    assert suiting(gray, 1, torch.tensor([1.0, 0, 0]))[0].tolist() == pytest.approx([128 / 255, 0, 0])


def test_a_centre_of_no_colours_stays() -> None:
    colours = np.array([[0.2], [0.8]])
    centres = _refined(colours, np.ones(2), np.array([[0.1], [0.7], [5.0]]))
    assert centres.tolist() == [[0.2], [0.8], [5.0]]


def test_where_a_mask_is_dark_has_no_say() -> None:
    """Half red and half blue, of which the mask shows the blue; on a ground, and of more pixels than are looked at."""
    for side in (20, 600):
        pixels = torch.zeros(3, side, side)
        pixels[0, :, : side // 2], pixels[2, :, side // 2 :] = 1, 1
        picture, weight = Picture(pixels, None, "halves"), torch.zeros(side, side)
        weight[:, side // 2 :] = 0.7
        weight[0, 0] = 1e-6
        for ground in (None, torch.zeros(3)):
            found = inks_of(1, picture, ground, 3, weight)
            assert found is not None
            assert found.tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("side", [20, 600])
def test_pixels_have_a_say_by_their_weight(side: int) -> None:
    pixels, weight = torch.zeros(3, side, side), torch.full((side, side), 0.9)
    pixels[0, :, : side // 2], pixels[2, :, side // 2 :] = 1, 1
    weight[:, side // 2 :] = 0.1
    found = inks_of(1, Picture(pixels, None, "halves"), None, 3, weight)
    assert found is not None
    assert found[0].tolist() == pytest.approx([0.9, 0, 0.1], abs=0.01)


def test_the_colours_of_a_painting_suit_what_matters() -> None:
    pixels, mask = torch.zeros(3, 20, 20), torch.zeros(20, 20)
    pixels[0, :, :10], pixels[2, :, 10:] = 1, 1
    mask[:, 10:] = 1
    (colour,) = limner.paint(pixels, 1, palette=1, importance=mask, size=20).strokes.what[0]
    assert colour.tolist() == pytest.approx([0.02, 0, 0.98], abs=0.01)
    (colour,) = limner.paint(pixels, 1, palette=1, size=20).strokes.what[0]
    assert colour.tolist() == pytest.approx([0.5, 0, 0.5], abs=0.01)


def test_masks_together_say_what_colours_suit() -> None:
    top = Picture(torch.tensor([[[1.0], [0]]]).expand(1, 2, 4).repeat_interleave(2, 1), None, "top")
    left = Picture(torch.tensor([[[1.0, 0]]]).expand(1, 4, 2).repeat_interleave(2, 2), None, "left")
    assert says({}, (4, 4)) is None
    alone, both = says({"importance": top}, (4, 4)), says({"importance": top, "repaint": left}, (4, 4))
    assert alone is not None
    assert both is not None
    much, little = (2 * share / (1 + UNIMPORTANT) for share in (1, UNIMPORTANT))  # of mean 1
    assert torch.allclose(alone, torch.tensor([[much], [much], [little], [little]]).expand(4, 4))
    assert torch.equal(both, alone * left.pixels[0])
    assert says({"repaint": Picture(torch.zeros(1, 4, 4), None, "nowhere")}, (4, 4)) is None


def test_paper_that_is_not_in_the_palette_is_not_kept() -> None:
    drawing = torch.ones(3, 30, 40)
    drawing[:, 10:14, 5:35] = 0
    ground = limner.paint(drawing, 3, palette=["#ff0000", "#0000ff"]).background
    assert ground is not None
    assert ground.tolist() in ([1, 0, 0], [0, 0, 1])
