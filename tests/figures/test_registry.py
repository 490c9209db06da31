"""Every figure of the thesis has an entry, which names runs that can be trained and pictures that can be drawn."""

import os
import subprocess
import sys
from functools import cache

import pytest

from limner.errors import UserError
from limner.experiments.thesis import EXPERIMENTS
from limner.figures import engine
from limner.figures.cache import key
from limner.figures.figure import FULL, Figure, Scale, shortened, vary
from limner.figures.layouts import Curves, Dots, Drawn, Masks, Process, Progress, Reconstructions
from limner.figures.registry import FIGURES, THESIS, find
from limner.figures.results import WORDS
from limner.models.build import build
from limner.models.settings import Model

WANTED = [
    *("3.1", "3.2", "3.3", "3.4", "3.5"),
    *("4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7"),
    *("5.2", "5.3a", "5.3b", "5.4", "5.5", "5.6", "5.7", "5.8", "5.9", "5.10", "5.11", "5.12", "5.13", "5.14"),
    *("5.16", "5.17", "5.18", "5.19", "5.20", "5.21", "5.22", "5.23"),
]
TEXT = [
    *("5.2-affine", "5.13-transparent", "5.16-ordered", "5.20-mnist", "5.21-moves"),
    *("6.1-circle", "6.2-templates"),
    *("4.6-deformed", "5.1-apart", "5.5-discrete", "5.18-exclusive"),
]
BEYOND = [
    "beyond-variational",
    "beyond-t-draw",
    "beyond-t-air",
    "beyond-order",
    "beyond-phi0",
    "beyond-layers",
    "beyond-faces",
    "beyond-omniglot",
    "beyond-recurrent",
    "beyond-pointing",
    "beyond-count",
]
SIZES = {"mnist": 28, "omniglot": 105, "faces": 100, "cifar": 32}


@cache
def can_be_built(settings: Model, side: int) -> bool:
    """Whether there is such a model for images of this size."""
    return build(settings, (side, side), 1).settings == settings


each = pytest.mark.parametrize("figure", FIGURES.values(), ids=list(FIGURES))


def test_every_figure_of_the_thesis_is_there() -> None:
    assert len(WANTED) == 34
    assert [name for name in THESIS if name not in TEXT] == WANTED
    assert list(FIGURES) == [*THESIS, *BEYOND]


@each
def test_every_run_can_be_built(figure: Figure) -> None:
    runs = list(figure.runs())
    assert bool(runs) != isinstance(figure.layout, Drawn)
    for _, _, experiment in runs:
        experiment.data.check()
        experiment.training.check()
        assert can_be_built(experiment.model, SIZES.get(experiment.data.name, 28))


@each
def test_claims_on_synthetic_data_have_three_seeds(figure: Figure) -> None:
    for variant, experiment in figure.variants.items():
        seeds = [(seed, run) for name, seed, run in figure.runs() if name == variant]
        assert len(seeds) == (max(figure.seeds, 3) if experiment.data.synthetic else 1)
        assert seeds[0][1] == experiment
        assert len({key(run) for _, run in seeds}) == len(seeds)
        assert all(run.training.seed == seed for seed, run in seeds)
        assert all(run.data.seed == seed for seed, run in seeds if experiment.data.synthetic)


@each
def test_quick_runs_are_few_and_short(figure: Figure) -> None:
    runs = list(figure.runs(figure.quick_scale()))
    assert [variant for variant, _, _ in runs] == list(figure.variants)
    assert all(experiment.training.iterations <= figure.quick for _, _, experiment in runs)
    assert all(experiment.training.drop_at < experiment.training.iterations for _, _, experiment in runs)


@each
def test_layouts_and_references_name_what_is_there(figure: Figure) -> None:
    layout = figure.layout
    named: list[str] = []
    if isinstance(layout, Process | Progress | Masks):
        named = list(layout.variants)
    elif isinstance(layout, Curves):
        named = [name for _, variants in layout.panels for name in variants]
        assert figure.curve
    elif isinstance(layout, Reconstructions):
        named = [layout.variant]
    elif isinstance(layout, Dots):
        assert set(layout.scores) <= set(figure.scores)
    elif isinstance(layout, Drawn):
        assert layout.what in engine.DRAWINGS
    assert set(named) <= set(figure.variants)
    assert set(figure.scores) <= set(WORDS)
    assert not figure.revisited or figure.revisited in BEYOND
    assert figure.title.isascii()  # headings become anchors


@each
def test_a_run_is_compared_with_an_earlier_stage_of_its_training(figure: Figure) -> None:
    for name, before in figure.since.items():
        late, early = figure.variants[name], figure.variants[before]
        assert early.training.iterations < late.training.iterations
        assert vary(late, early.training.iterations) == early


def test_long_runs_are_the_experiments_of_limner_train() -> None:
    for figure, name in (("5.6", "mnist"), ("5.21", "faces"), ("5.22", "omniglot"), ("5.23", "cifar")):
        assert EXPERIMENTS[name]() in FIGURES[figure].variants.values()
    assert FIGURES["5.19"].variants["convolutional"] == FIGURES["5.21-moves"].variants["T=40"] == EXPERIMENTS["faces"]()


def test_shortening_moves_what_happens_on_the_way() -> None:
    faces = shortened(EXPERIMENTS["faces"](), 400)
    assert (faces.training.iterations, faces.training.drop_at) == (400, 300)
    assert shortened(EXPERIMENTS["faces"](), None) == shortened(EXPERIMENTS["faces"](), 10**6) == EXPERIMENTS["faces"]()
    (_, _, experiment), *_ = (run for run in FIGURES["beyond-order"].runs(Scale(100)) if "learnt" in run[0])
    assert experiment.model.anneal == 30
    (_, _, experiment), *_ = (run for run in FIGURES["beyond-pointing"].runs(Scale(60)) if "greedy" in run[0])
    assert (experiment.model.greedy, experiment.training.drop_at) == (20, 45)
    whole = FIGURES["5.13"].variants["2-Shapes, 0.005"]
    part = shortened(whole, 500)
    assert part.model.gamma_at(400) == pytest.approx(whole.model.gamma_at(20 * 400)) == pytest.approx(30.0)
    assert part.model.gamma_at(100) == pytest.approx(whole.model.gamma_at(20 * 100)) == pytest.approx(11.0)


def test_finding_figures() -> None:
    assert [figure.name for figure in find(["5.3a", "Fig. 4.3", "5.3A"])] == ["5.3a", "4.3"]
    every = find(["all"])
    assert len(every) == len(FIGURES)
    assert [figure.minutes for figure in every] == sorted((figure.minutes for figure in every), reverse=True)
    with pytest.raises(UserError, match=r"no figure 5\.3: there are .*5\.3a"):
        find(["5.3"])
    with pytest.raises(UserError, match=r"beyond-t-draw"):
        find(["t-draw"])
    with pytest.raises(UserError, match=r"no figure 4\.8: there are .*4\.7"):
        find(["4.8"])
    for name in ("2.1", "5.1", "Fig. 5.15"):
        with pytest.raises(
            UserError, match=r"figure [25]\.15?: shows no result: limner reproduce --list shows those that"
        ):
            find([name])
    with pytest.raises(UserError, match="--list"):
        find(["zzz"])


def test_listing_needs_no_torch(tmp_path) -> None:
    script = "import sys; from limner.cli import main; main(['reproduce', '--list']); assert 'torch' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == len(FIGURES)
    assert all(line.startswith("limner reproduce ") and "not run yet" in line for line in lines)
    assert any("limner reproduce 5.3a" in line and "11 min" in line for line in lines)


def test_full_scale_changes_nothing() -> None:
    assert list(FIGURES["5.12"].runs(FULL)) == list(FIGURES["5.12"].runs())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_listing_needs_no_greek(encoding: str) -> None:
    command = [sys.executable, "-m", "limner", "reproduce", "--list"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.decode(encoding).splitlines()) >= len(FIGURES)
