import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.training.batches import Batches, seed_noise


@given(st.integers(1, 40), st.integers(1, 100), st.integers(0, 3))
def test_every_image_once_a_pass(count: int, batch: int, seed: int) -> None:
    batches = Batches(count, batch, seed)
    passes = 3
    rounds = -(-passes * count // batch)
    drawn = torch.cat([batches[iteration] for iteration in range(rounds)])
    for number in range(passes):
        assert sorted(drawn[number * count : (number + 1) * count].tolist()) == list(range(count))


@given(st.integers(0, 50), st.integers(0, 3))
def test_any_iteration_can_be_asked_for(iteration: int, seed: int) -> None:
    one = Batches(30, 7, seed)
    for before in range(iteration):
        one[before]
    assert torch.equal(one[iteration], Batches(30, 7, seed)[iteration])


def test_passes_differ_and_seeds_differ() -> None:
    batches = Batches(50, 50, 0)
    assert not torch.equal(batches[0], batches[1])
    assert not torch.equal(batches[0], Batches(50, 50, 1)[0])


def test_noise_is_its_own_in_every_iteration_process_and_seed() -> None:
    drawn = set()
    for place in [(0, 1, 0), (0, 2, 0), (0, 1, 1), (1, 1, 0), (1, 2, 0)]:
        seed_noise(*place)
        drawn.add(torch.rand(()).item())
    assert len(drawn) == 5
    seed_noise(0, 1, 0)
    assert torch.rand(()).item() in drawn


def test_no_pass_of_one_seed_is_a_pass_of_another() -> None:
    orders = [Batches(50, 50, seed)[number].tolist() for seed in range(3) for number in range(3)]
    assert len({tuple(order) for order in orders}) == 9
