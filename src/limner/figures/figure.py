"""A figure as one value: its claim, the runs that it needs, its picture, and what decides it; light to import."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from limner.experiments.settings import Experiment
from limner.figures.layouts import Layout, Masks, Process, Progress, Reconstructions
from limner.figures.results import Results

Verdict = Literal["confirmed", "confirmed with a difference", "not confirmed"]


@dataclass(frozen=True)
class Judgement:
    """What the numbers say of a claim, and why, in one sentence."""

    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Scale:
    """How much of a figure is done: at most so many iterations and seeds, and so many images to measure on.

    Left out: as many as the figure has. `quick` results decide nothing and are never committed.
    """

    iterations: int | None = None
    seeds: int | None = None
    images: int = 1000
    quick: bool = False


FULL = Scale()


@dataclass(frozen=True)
class Figure:
    """A figure of the thesis, or one that goes beyond it.

    expected: what the thesis reports.  decides: the number that decides, in words; `scores` are its names (`results`).
    minutes: on two cores, from nothing, with two jobs; 0 is less than one.
    variants: what is trained, by the names that the picture and the table use.
    seeds: of every variant on synthetic data; on real data there is one.
    quick: the most iterations of a run in quick mode.
    shortened: what was cut against the thesis, in words.
    curve: the loss whose course is kept, as metrics.jsonl names it.
    samples: for the importance-weighted bound; 0 is none.
    revisited: the figure that takes a negative result up again.
    since: the earlier stage of its training that a variant is compared with (`changes`), both by name.
    """

    name: str
    title: str
    claim: str
    expected: str
    decides: str
    minutes: int
    layout: Layout
    judge: Callable[[Results], Judgement]
    scores: tuple[str, ...]
    variants: Mapping[str, Experiment] = field(default_factory=dict)
    seeds: int = 3
    quick: int = 300
    shortened: str = ""
    curve: str = ""
    samples: int = 0
    revisited: str = ""
    since: Mapping[str, str] = field(default_factory=dict)

    def runs(self, scale: Scale = FULL) -> Iterator[tuple[str, int, Experiment]]:
        """Every run of the figure: its variant, its seed, and what is to be trained."""
        for variant, experiment in self.variants.items():
            seeds = self.seeds if experiment.data.synthetic else 1
            for seed in range(min(seeds, scale.seeds or seeds)):
                yield variant, seed, shortened(seeded(experiment, seed), scale.iterations)

    def draws(self, variant: str, seed: int) -> bool:
        """Whether the picture shows what this run paints."""
        layout = self.layout
        if isinstance(layout, Process | Progress | Masks):
            return seed == 0 and variant in layout.variants
        return isinstance(layout, Reconstructions) and seed == 0 and variant == layout.variant

    def quick_scale(self) -> Scale:
        """One seed, few iterations, few images: about a minute."""
        return Scale(self.quick, 1, 100, quick=True)


def seeded(experiment: Experiment, seed: int) -> Experiment:
    """Another seed: other weights, batches and noise, and other images where they are drawn."""
    data = replace(experiment.data, seed=seed) if experiment.data.synthetic else experiment.data
    return replace(experiment, data=data, training=replace(experiment.training, seed=seed))


def shortened(experiment: Experiment, most: int | None) -> Experiment:
    """The experiment in at most so many iterations, with what happens on the way moved forward in proportion."""
    training, model = experiment.training, experiment.model
    if most is None or training.iterations <= most:
        return experiment
    share = most / training.iterations
    training = replace(training, iterations=most, drop_at=round(training.drop_at * share))
    iterations = {name: round(getattr(model, name) * share) for name in ("anneal", "greedy")}
    model = replace(model, **iterations, gamma_rate=model.gamma_rate / share)
    return replace(experiment, model=model, training=training)


def vary(experiment: Experiment, iterations: int | None = None, **model) -> Experiment:
    """The experiment with other model settings, or another number of iterations, without a drop that it never meets."""
    training = experiment.training
    if iterations is not None:
        drop_at = training.drop_at if training.drop_at < iterations else 0
        training = replace(training, iterations=iterations, drop_at=drop_at)
    return replace(experiment, model=replace(experiment.model, **model), training=training)
