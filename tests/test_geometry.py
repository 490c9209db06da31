"""Conventions of Phi."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner import geometry

stamps = {
    "x": st.floats(-2, 2),
    "y": st.floats(-2, 2),
    "half_width": st.floats(0.01, 5),
    "half_height": st.floats(0.01, 5),
    "angle": st.floats(-7, 7),
    "aspect": st.floats(0.1, 10),
}


def phi_of(
    x: float, y: float, half_width: float, half_height: float, angle: float, aspect: float = 1.0
) -> torch.Tensor:
    numbers = torch.tensor([x, y, half_width, half_height, angle], dtype=torch.float64)
    return geometry.phi(numbers[:2], numbers[2:4], numbers[4], aspect)


def to_canvas(phi: torch.Tensor, *points: tuple[float, float]) -> torch.Tensor:
    homogeneous = torch.tensor([[*point, 1] for point in points], dtype=torch.float64)
    return homogeneous @ geometry.invert(phi).T


def test_pixel_centres_are_those_of_affine_grid() -> None:
    identity = torch.eye(2, 3)[None]
    grid = torch.nn.functional.affine_grid(identity, [1, 1, 5, 8], align_corners=False)[0]
    torch.testing.assert_close(geometry.canvas_points(5, 8)[..., :2], grid)
    assert (geometry.canvas_points(5, 8)[..., 2] == 1).all()
    torch.testing.assert_close(geometry.centres(4), torch.tensor([-0.75, -0.25, 0.25, 0.75]))


@given(**stamps)
def test_phi_and_invert_are_a_round_trip(**stamp: float) -> None:
    phi = phi_of(**stamp)
    there, back = (
        torch.cat([m, torch.tensor([[0, 0, 1.0]], dtype=torch.float64)]) for m in (phi, geometry.invert(phi))
    )
    torch.testing.assert_close(there @ back, torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-7)
    torch.testing.assert_close(back @ there, torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-7)
    torch.testing.assert_close(geometry.invert(geometry.invert(phi)), phi, rtol=1e-7, atol=1e-7)


@given(**stamps, across=st.floats(-2, 2), down=st.floats(-2, 2))
def test_a_moved_stamp_is_where_it_was_moved_to(across: float, down: float, **stamp: float) -> None:
    by = torch.tensor([across, down], dtype=torch.float64)
    moved = geometry.moved(phi_of(**stamp), by)
    there = stamp | {"x": stamp["x"] + across, "y": stamp["y"] + down}
    torch.testing.assert_close(moved, phi_of(**there), rtol=1e-9, atol=1e-7)


@given(**stamps, left=st.integers(0, 8), top=st.integers(0, 8), across=st.integers(1, 9), down=st.integers(1, 9))
def test_a_window_has_the_pixels_of_the_whole_canvas(
    left: int, top: int, across: int, down: int, **stamp: float
) -> None:
    phi, window = phi_of(**stamp), (left, top, left + across, top + down)
    whole = geometry.canvas_points(20, 17, dtype=phi.dtype) @ phi.mT
    part = geometry.canvas_points(down, across, dtype=phi.dtype) @ geometry.cropped(phi, window, (20, 17)).mT
    torch.testing.assert_close(part, whole[top : top + down, left : left + across], rtol=1e-5, atol=1e-5)


@given(**stamps)
def test_phi_takes_centre_and_half_sizes_to_the_template(**stamp: float) -> None:
    aspect = stamp["aspect"]
    centre, right, bottom = to_canvas(phi_of(**stamp), (0, 0), (1, 0), (0, 1))
    in_heights = torch.tensor([aspect, 1], dtype=torch.float64)
    assert centre.tolist() == pytest.approx([stamp["x"], stamp["y"]], abs=1e-8)
    assert ((right - centre) * in_heights).norm().item() == pytest.approx(stamp["half_width"], rel=1e-6)
    assert ((bottom - centre) * in_heights).norm().item() == pytest.approx(stamp["half_height"], rel=1e-6)


def test_angles_turn_clockwise_on_the_screen() -> None:
    phi = phi_of(0.1, -0.2, 0.5, 0.25, math.pi / 2)
    (right,) = to_canvas(phi, (1, 0))
    assert right.tolist() == pytest.approx([0.1, 0.3])  # y points downwards


@given(angle=st.floats(-7, 7), aspect=st.floats(0.1, 10), x=st.floats(-1, 1), y=st.floats(-1, 1))
def test_a_round_stamp_is_round_in_pixels(angle: float, aspect: float, x: float, y: float) -> None:
    point = phi_of(0.2, 0.3, 0.5, 0.5, angle, aspect) @ torch.tensor([x, y, 1], dtype=torch.float64)
    assert point.norm().item() == pytest.approx(math.hypot((x - 0.2) * aspect, y - 0.3) / 0.5, rel=1e-6, abs=1e-9)


def test_degenerate_phi_has_no_inverse() -> None:
    flat = torch.tensor([[1.0, 2, 0.5], [2, 4, 0]])
    assert not geometry.invert(flat).isfinite().any()


def test_shapes_broadcast_over_stamps() -> None:
    phi = geometry.phi(torch.rand(4, 3, 2), torch.rand(4, 3, 2) + 0.1, torch.rand(4, 3))
    assert phi.shape == (4, 3, 2, 3)
    torch.testing.assert_close(geometry.invert(phi)[1, 2], geometry.invert(phi[1, 2]))


def test_what_is_far_from_degenerate_is_inverted_exactly_mirrored_or_not() -> None:
    where = torch.tensor([[[2.0, 0.5, 0.1], [0, 3, 0.2]], [[-2.0, 0.5, 0.1], [0, 3, 0.2]]])
    assert torch.equal(geometry.invert(where, 0.1), geometry.invert(where))
    flat = torch.tensor([[[0.1, 0, 0.0], [0, -0.1, 0]]])
    assert torch.allclose(geometry.invert(flat, 0.1), torch.tensor([[[1.0, 0, 0], [0, -1, 0]]]))
