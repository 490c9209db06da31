"""Fitting: rounds, time, interrupts, and what strokes are worth."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from numba.core import event
from torch import Tensor

from limner import waiting
from limner.geometry import phi
from limner.painting.fit import fitting, pace
from limner.painting.fit.fitting import Task, fit
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import SPECK, Moves, Style
from limner.painting.fit.propose import propose
from limner.painting.fit.rounds import RATE, Plan, coarse, detail, importance, radii, widest
from limner.painting.progress import Progress
from limner.painting.rendering import SAMPLES, most_texels
from limner.painting.scoring import psnr
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

BANK = TemplateBank.named("circle", "square", size=32)
QUICK = Plan(extra=1.5, adding=4, steps=3, dropping=2, moving=2, moving_steps=3, settling=12, tries=100)
GROUND = torch.tensor([0.4, 0.5, 0.6])


def picture(height: int = 24, width: int = 32) -> Tensor:
    return torch.nn.functional.interpolate(torch.rand(1, 3, 4, 5), (height, width), mode="bicubic")[0].clamp(0, 1)


class Clock:
    """The module time, but every look at it takes a tenth of a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 0.1
        return self.now


@pytest.mark.parametrize("count", [0, 1, 2, 7, 30])
def test_exactly_so_many_strokes(count: int) -> None:
    strokes, ground, _ = fit(Task(Goal(picture()), BANK, count, GROUND, Style()), plan=QUICK)
    assert len(strokes) == count
    assert all(tensor.isfinite().all() and not tensor.requires_grad for tensor in strokes.tensors().values())
    assert torch.equal(ground, GROUND) == (count == 0)


def test_more_strokes_than_are_tried() -> None:
    plan = replace(QUICK, dropping=1, moving=1, moving_steps=1, settling=1, steps=1, share=0.5, tries=10)
    strokes, *_ = fit(Task(Goal(picture()), BANK, 120, GROUND, Style()), plan=plan)
    assert len(strokes) == 120


def test_progress_rises_to_the_end() -> None:
    seen: list[Progress] = []
    fit(Task(Goal(picture()), BANK, 6, GROUND, Style()), plan=QUICK, watch=seen.append)
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1].done == 1
    assert [one.strokes for one in seen][:4] == [3, 5, 7, 9]
    assert {one.strokes for one in seen[5:]} == {6}
    assert seen[-1].psnr > seen[0].psnr
    assert Progress(1.0, 0.01, 3).psnr == pytest.approx(20)
    assert Progress(1.0, 0.0, 3).psnr == math.inf


@pytest.mark.parametrize("saved", [1, SAMPLES])
def test_last_progress_is_the_error_of_what_is_returned(saved: int) -> None:
    seen: list[Progress] = []
    goal = Goal(picture(), saved=saved)
    strokes, ground, _ = fit(Task(goal, BANK, 6, GROUND, Style()), plan=QUICK, watch=seen.append)
    canvas = replace(goal, samples=saved).canvas(strokes, BANK, ground)[0]
    assert seen[-1].error == pytest.approx((canvas - goal.pixels).square().mean().item(), rel=1e-4)


@pytest.mark.parametrize("seconds", [5e-324, 1e-9, 0.35, 2.0, 30.0])
def test_time_bounds_the_looks_at_the_clock(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    strokes, *_ = fit(Task(Goal(picture()), BANK, 20, GROUND, Style(), seconds=seconds), plan=QUICK)
    assert len(strokes) == 20
    assert seconds <= clock.now < seconds + 2.5


def test_more_time_is_used() -> None:
    steps = pace.Pace(10, None)
    assert list(steps.until(5)) == [0, 0.1, 0.2, 0.3, 0.4]
    assert list(steps.until(5)) == []
    assert steps.done() == 0.5


def test_stops_once_it_is_good_enough() -> None:
    goal = Goal(picture())
    strokes, ground, _ = fit(Task(goal, BANK, 60, GROUND, Style(), stop_psnr=20.0), plan=QUICK)
    assert 0 < len(strokes) < 60
    canvas = replace(goal, samples=SAMPLES).canvas(strokes, BANK, ground)[0]
    assert (canvas - goal.pixels).square().mean() <= 10**-2


def test_as_few_strokes_as_are_good_enough() -> None:
    goal = Goal(picture())

    def quality(count: int, stop_psnr: float = math.inf) -> tuple[int, float]:
        strokes, ground, _ = fit(Task(goal, BANK, count, GROUND, Style(), stop_psnr=stop_psnr), plan=QUICK)
        canvas = replace(goal, samples=SAMPLES).canvas(strokes, BANK, ground)[0]
        return len(strokes), psnr(canvas, goal.pixels)

    count, reached = quality(80, 24.0)
    assert reached >= 24
    assert quality(int(0.85 * count))[1] < 24


def test_other_numbers_of_strokes_go_on_from_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, whole = [], Moves.step
    monkeypatch.setattr(Moves, "step", lambda self, *given: steps.append(len(self)) or whole(self, *given))

    def search(fit, enough: int, wanted: float) -> Iterator[Moves]:
        steps.clear()
        first, _ = fit(24, None)
        taken, held = len(steps), first.copied()[0].where
        for count in (20, 28):
            steps.clear()
            again, quality = fit(count, first)
            assert len(again) == count
            assert quality > 20
            assert len(steps) < 0.6 * taken
        assert torch.equal(first.copied()[0].where, held)
        apart = (again.strokes().where[0, :, None] - held[0]).flatten(2).norm(dim=2).amin(0)
        assert apart.median() < 0.5
        yield again

    monkeypatch.setattr(fitting, "fewest", search)
    plan = Plan(adding=8, steps=4, dropping=4, moving=4, moving_steps=4, settling=60, tries=100)
    style = Style(keep_angles=True)
    assert len(fit(Task(Goal(picture()), BANK, 80, GROUND, style, stop_psnr=20.0), plan=plan)[0]) == 28


def test_an_interrupted_search_keeps_what_is_good_enough() -> None:
    goal, found = Goal(picture()), []
    for most in (1, 2, 9):
        done, fits = [1.0], []

        def watch(progress: Progress, most: int = most, done: list[float] = done, fits: list[None] = fits) -> None:
            if progress.done < done[-1]:
                fits.append(None)
            done.append(progress.done)
            if len(fits) > most:
                raise KeyboardInterrupt

        strokes, ground, _ = fit(Task(goal, BANK, 80, GROUND, Style(), stop_psnr=24.0), plan=QUICK, watch=watch)
        canvas = replace(goal, samples=SAMPLES).canvas(strokes, BANK, ground)[0]
        assert psnr(canvas, goal.pixels) >= 24
        found.append(len(strokes))
    assert found[0] > 1.5 * found[2]
    assert found == sorted(found, reverse=True)


def test_a_short_time_is_for_fewer_strokes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "time", Clock())
    given, plan = (Goal(picture()), BANK, 900, GROUND, Style()), replace(QUICK, adding=30)
    counts = [len(fit(Task(*given, seconds=seconds), plan=plan)[0]) for seconds in (0.1, 2.0, 60.0)]
    assert 100 <= counts[0] < counts[1] < counts[2] == 900


def test_compiling_takes_none_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "time", clock := Clock())
    monkeypatch.setattr(waiting, "time", clock)
    whole, compiled = Moves.step, []

    def compiling(self: Moves, *arguments):
        if not compiled:
            compiled.append(None)
            with event.trigger_event("numba:compile"):
                clock.now += 1000
        return whole(self, *arguments)

    monkeypatch.setattr(Moves, "step", compiling)
    strokes, *_ = fit(Task(Goal(picture()), BANK, 20, GROUND, Style(), seconds=30.0), plan=QUICK)
    assert len(strokes) == 20
    assert 1029 < clock.now < 1032


def test_as_few_as_are_good_enough_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    goal, counts = Goal(picture()), []
    for seconds in (3.0, 6.0, 60.0):
        monkeypatch.setattr(pace, "time", clock := Clock())
        strokes, ground, _ = fit(Task(goal, BANK, 80, GROUND, Style(), seconds=seconds, stop_psnr=22.0), plan=QUICK)
        canvas = replace(goal, samples=SAMPLES).canvas(strokes, BANK, ground)[0]
        assert psnr(canvas, goal.pixels) >= 22
        assert clock.now < seconds + 2.5
        counts.append(len(strokes))
    assert counts[0] > counts[-1]
    assert counts == sorted(counts, reverse=True)


def test_does_not_stop_while_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moves, "error", lambda self, *_: 1e-9 if len(self) > 20 else 1.0)
    seen: list[Progress] = []
    fit(Task(Goal(picture()), BANK, 20, GROUND, Style(), stop_psnr=60.0), plan=QUICK, watch=seen.append)
    assert max(one.strokes for one in seen) == 30
    assert seen[-1].done == 1


def test_settles_with_as_many_as_wanted_whatever_was_dropped_before() -> None:
    seen: list[Progress] = []
    plan = replace(QUICK, dropping=0, moving=0)
    fit(Task(Goal(picture()), BANK, 20, GROUND, Style()), plan=plan, watch=seen.append)
    assert [one.strokes for one in seen] == [8, 15, 23, 30, 20, 20, 20]


def test_what_is_good_enough_already_gets_no_strokes() -> None:
    flat = GROUND[:, None, None].expand(3, 24, 32)
    assert len(fit(Task(Goal(flat), BANK, 60, GROUND, Style(), stop_psnr=20.0))[0]) == 0


def test_stopping_does_not_ask_for_weights() -> None:
    pixels = picture()
    pixels[:, 0, 0] = GROUND  # the only pixel that matters is right from the start
    weight = torch.full((24, 32), 1e-9)
    weight[0, 0] = 1
    goal = Goal(pixels, weight=weight / weight.mean())
    strokes, *_ = fit(Task(goal, BANK, 8, GROUND, Style(), stop_psnr=60.0), plan=QUICK)
    assert len(strokes) == 8


def test_places_are_chosen_from_no_more_pixels_than_can_be() -> None:
    goals = [Goal(torch.empty(3, 1, 1).expand(3, height, height)) for height in (8000, 4200, 4096, 2000)]
    assert [coarse(goals, pixels) for pixels in (0, 4096**2, 4096**2 + 1, 8000**2)] == [3, 2, 2, 2]
    chance = torch.ones(4096**2)
    assert len(torch.multinomial(chance, 3, replacement=True)) == 3
    with pytest.raises(RuntimeError, match="categories"):
        torch.multinomial(torch.ones(4096**2 + 1), 3, replacement=True)


@pytest.mark.parametrize("method", ["step", "add", "keep", "limit"])
@pytest.mark.parametrize("call", [1, 9])
def test_interrupt_gives_what_there_is_if_anything(method: str, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    whole = getattr(Moves, method)

    def cut(self: Moves, *arguments):
        calls.append(None)
        if len(calls) == call:
            self.which = self.which[:0]
            raise KeyboardInterrupt
        return whole(self, *arguments)

    plan = replace(QUICK, moving=12)
    monkeypatch.setattr(Moves, method, cut)
    given = Goal(picture()), BANK, 20, GROUND, Style()
    if call == 1 and method != "keep":
        with pytest.raises(KeyboardInterrupt):
            fit(Task(*given), plan=plan)
        return
    strokes, ground, _ = fit(Task(*given), plan=plan)
    assert len(calls) == call
    assert 0 < len(strokes) == (20 if method == "keep" or (method, call) == ("add", 9) else len(strokes)) < 21
    assert Goal(picture()).canvas(strokes, BANK, ground).isfinite().all()


def test_interrupt_from_the_watcher() -> None:
    def watch(progress: Progress) -> None:
        if progress.strokes >= 10:
            raise KeyboardInterrupt

    strokes, *_ = fit(Task(Goal(picture()), BANK, 20, GROUND, Style()), plan=QUICK, watch=watch)
    assert len(strokes) == 15


def test_interrupt_while_there_are_too_many_leaves_out_those_of_least_importance() -> None:
    def watch(progress: Progress) -> None:
        if progress.strokes > 20:
            raise KeyboardInterrupt

    goal = Goal(picture())
    fewer, ground, _ = fit(Task(goal, BANK, 20, GROUND, Style()), plan=QUICK, watch=watch)
    all_of_them, *_ = fit(Task(goal, BANK, 23, GROUND, Style()), plan=replace(QUICK, extra=30 / 23), watch=watch)
    assert (len(fewer), len(all_of_them)) == (20, 23)
    numbers = {tuple(row) for row in all_of_them.what[0].tolist()}
    assert {tuple(row) for row in fewer.what[0].tolist()} < numbers

    def error(some: Strokes) -> float:
        return goal.error(some, BANK, ground)

    others = [error(all_of_them[:, torch.randperm(23)[:20].sort().values]) for _ in range(20)]
    assert error(fewer) < sorted(others)[4]


def test_coarse_is_the_smallest_size_that_is_large_enough() -> None:
    goals = [Goal(torch.zeros(1, side, side)) for side in (80, 40, 20)]
    assert [coarse(goals, pixels) for pixels in (1, 400, 401, 1600, 6400, 10**6)] == [2, 2, 1, 1, 0, 0]


def test_more_strokes_need_a_larger_size() -> None:
    pixels = [detail(strokes) for strokes in range(0, 5000)]
    assert pixels == sorted(pixels)
    assert (pixels[1], pixels[150], pixels[400], pixels[4000]) == (150, 22_500, 30_000, 180_000)
    assert all(pixels[2 * n] <= 2 * pixels[n] for n in range(2500))


def test_radii_are_ordered_and_within_the_style() -> None:
    for size in ((1, 1), (1, 500), (60, 80), (500, 3)):
        for style in (Style(), Style(smallest=0.1), Style(largest=0.02), Style(smallest=0.1, largest=0.1)):
            for count in (1, 50, 10_000):
                low, high = radii(Goal(torch.zeros(1, *size)), count, style)
                least, most = style.half_sizes(size)
                assert 0 < low <= high
                assert low >= least
                assert high <= most or high == SPECK


@pytest.mark.parametrize("opacity", [None, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clear", ["", "clear", "painted before"])
def test_importance_is_what_leaving_out_costs(opacity: float | None, weighted: bool, clear: str) -> None:
    weight = torch.linspace(0.1, 1.9, 32).expand(24, 32) if weighted else None
    alpha = picture()[0] if clear else None
    goal, generator = Goal(picture(), alpha, weight), torch.Generator().manual_seed(1)
    if clear == "painted before":
        goal = replace(goal, under=0.3 * picture(), under_cover=0.5 * picture()[1])
    moves = Moves.none(BANK, torch.zeros(3) if clear else GROUND, Style(opacity=opacity))
    for wanted in (3, 6, 9):
        propose(moves, goal, wanted, 300, (1.5, 7.0), generator)
    strokes, base = moves.strokes(), moves.error(goal)
    found = importance(strokes, moves.ground, goal, BANK)
    pixels = goal.pixels.numel() + (0 if alpha is None else alpha.numel())
    exact = []
    for t in range(len(moves)):
        rest = strokes[:, [k for k in range(len(moves)) if k != t]]
        exact.append((goal.error(rest, BANK, moves.ground) - base) * pixels)
    torch.testing.assert_close(found.tolist(), exact, rtol=1e-3, atol=1e-3)


def test_a_stroke_that_covers_a_hole_is_worse_than_none() -> None:
    """By what its coverage counts there; what it covers beside the hole is worth what it is without holes."""
    alpha = torch.ones(24, 32)
    alpha[:, 16:] = 0
    goal, square = Goal(0.5 * alpha.expand(3, -1, -1), alpha, holes=True), TemplateBank.named("square", size=32)
    moves = Moves.none(square, torch.zeros(3), Style(opacity=1.0))
    sides = torch.stack([torch.tensor([[2.0, 0, side], [0, 2, 0]]) for side in (1.0, -1.0)])
    moves.add(torch.ones(2, 1), {"where": sides, "what": torch.rand(2, 3)})
    beside, inside = importance(moves.strokes(), moves.ground, goal, square).tolist()
    assert inside == pytest.approx(-4 * 16 * 12, rel=1e-3)
    plain = importance(moves.strokes(), moves.ground, replace(goal, holes=False), square).tolist()
    assert beside == pytest.approx(plain[0], rel=1e-5)
    assert plain[1] != pytest.approx(inside, rel=0.1)


def test_work_takes_the_steps_that_were_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    def step(self: Moves, goal: Goal, rate: float) -> float:
        rates.append(rate)
        return 0.5

    monkeypatch.setattr(Moves, "step", step)
    fit(Task(Goal(picture()), BANK, 20, GROUND, Style()), plan=QUICK)
    assert len(rates) == 4 * 3 + (2 + 2) * 3 + 12
    settling: Iterator[float] = iter(rates[-12:])
    assert rates[:24] == [RATE] * 24
    assert all(later < earlier for earlier, later in zip(rates[-12:], list(settling)[1:], strict=False))


def test_a_quality_is_judged_with_the_edges_of_the_size_that_it_is_judged_at() -> None:
    """A disc of 32 texels is blurred on a large canvas unless it is drawn anew: it would not do, and more be added."""
    where = torch.tensor([[[[1.2, 0, 0], [0, 1.2, 0]]]])
    start = Strokes(where, torch.tensor([[[1.0, 0]]]), torch.ones(1, 1, 3))

    def goal(side: int, texels: int) -> Goal:
        return Goal(render(start, BANK.redrawn(texels), (side, side), samples=SAMPLES)[0])

    small, large, style = goal(24, 32), goal(512, 512), Style(opacity=1.0)
    strokes, *_ = fit(
        Task(small, BANK, 3, torch.zeros(3), style, stop_psnr=40.0, start=start, judged=large), plan=QUICK
    )
    assert len(strokes) == 1


def disc(side: int) -> Tensor:
    """A disc on a ground, with edges as sharp as pixels are."""
    where = torch.tensor([[[[1.3, 0, 0.1], [0, 1.3, 0]]]])
    bank = TemplateBank.named("circle", size=1024)
    return render(Strokes(where, torch.ones(1, 1, 1), torch.ones(1, 1, 3)), bank, (side, side), samples=SAMPLES)[0]


def test_templates_have_texels_as_long_as_they_show() -> None:
    plain, style = TemplateBank.named("circle", size=32), Style(opacity=1.0)
    strokes, ground, bank = fit(Task(Goal(disc(240)), plain, 4, torch.zeros(3), style), plan=Plan())
    assert bank.masks.shape[-1] >= 256
    assert bank.names == plain.names
    goal = Goal(disc(240), samples=SAMPLES)
    assert goal.error(strokes, bank, ground) < 0.5 * goal.error(strokes, plain, ground)
    again = fit(Task(Goal(disc(240)), bank, 4, torch.zeros(3), style), plan=Plan())[2]
    assert again.masks.shape[-1] <= most_texels(bank)
    rough = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 16), (180, 240), mode="bicubic")[0].clamp(0, 1)
    usual = TemplateBank.named("circle", size=128)
    strokes, _, bank = fit(Task(Goal(rough), usual, 20, GROUND, Style()), plan=QUICK)
    assert widest(strokes, (180, 240)) > 128
    assert bank is usual


def test_texels_stay_beside_strokes_painted_before_and_where_nothing_can_be_drawn_anew() -> None:
    plain, goal = TemplateBank.named("circle", size=32), Goal(disc(240), under=torch.zeros(3, 240, 240))
    assert fit(Task(goal, plain, 4, torch.zeros(3), Style(opacity=1.0)), plan=QUICK)[2] is plain
    own = TemplateBank(plain.masks, ("own",))
    assert own.outlines
    assert fit(Task(Goal(disc(240)), own, 4, torch.zeros(3), Style(opacity=1.0)), plan=QUICK)[2] is own
    soft = TemplateBank.named("soft", size=32)
    assert fit(Task(Goal(disc(240)), soft, 4, torch.zeros(3), Style(opacity=1.0)), plan=QUICK)[2] is soft


def test_no_template_gets_more_texels_than_a_stamp_is_wide() -> None:
    where = phi(torch.zeros(2, 2), torch.tensor([[0.5, 0.1], [0.2, 0.4]]), torch.tensor([0.3, 1.0]), 80 / 60)[None]
    strokes = Strokes(where, torch.ones(1, 2, 1), torch.ones(1, 2, 3))
    assert widest(strokes, (60, 80)) == pytest.approx(2 * 0.5 * 30, rel=1e-5)
    assert widest(strokes[:, :0], (60, 80)) == 0
    plain, style = TemplateBank.named("circle", size=128), Style(opacity=1.0, largest=0.5)
    assert fit(Task(Goal(disc(100)), plain, 4, torch.zeros(3), style), plan=Plan())[2] is plain
