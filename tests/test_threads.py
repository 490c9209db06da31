"""How tasks are shared."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.kernels import threads


@given(st.integers(0, 100), st.integers(1, 9))
def test_shares_are_all_groups_in_turn(groups: int, count: int) -> None:
    found = threads.shares(groups, count)
    assert [group for first, last in found for group in range(first, last)] == list(range(groups))
    sizes = [last - first for first, last in found]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes, default=1) <= max(1, groups / (2 * count))


@pytest.mark.parametrize(("tasks", "groups"), [(0, 4), (3, 8), (50, 8), (50, 1)])
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_task_is_done_once(
    count: int, split: bool, tasks: int, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: count)
    done, numbers = [], []

    def job(first: int, last: int, group: int) -> None:
        done.extend(range(first, last))
        numbers.append(group)

    threads.run(job, tasks, groups, 10 * threads.WORTH, split)
    assert sorted(done) == list(range(tasks))
    assert len(set(numbers)) == len(numbers)
    if split:
        assert sorted(numbers) == list(range(min(groups, tasks)))
