"""Figures from end to end, in few iterations: trained, measured, judged and drawn."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from limner import cli
from limner.data.loading import load
from limner.errors import UserError
from limner.experiments.thesis import mnist, two_rectangles
from limner.figures import cache, drawing, records, registry, sheets
from limner.figures.figure import Figure, Judgement, Scale, shortened, vary
from limner.figures.layouts import Dots, Process, Progress, Reconstructions
from limner.figures.publish import publish
from limner.figures.registry import FIGURES
from limner.figures.results import Results
from limner.models.code import mean_codes
from limner.writer import render

TINY = Scale(iterations=4, seeds=2, images=20, quick=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def made(figure: Figure, runs: Path, out: Path, scale: Scale = TINY) -> dict:
    experiments = list({experiment: None for _, _, experiment in figure.runs(scale)})
    assert [error for _, error in cache.train(experiments, runs, quiet=True)] == [None] * len(experiments)
    return publish(figure, scale, runs, out, {})


@pytest.mark.parametrize("name", ["3.3", "5.3b", "5.5", "5.11", "5.12", "5.17", "beyond-variational"])
def test_a_figure_from_end_to_end(name: str, runs: Path, tmp_path: Path) -> None:
    figure = replace(FIGURES[name], samples=min(FIGURES[name].samples, 2))
    record = made(figure, runs, tmp_path)
    assert json.loads((tmp_path / f"{name}.json").read_text("utf-8")) == record
    assert (record["figure"], record["quick"]) == (name, True)
    results = Results(record["runs"])
    for variant in figure.variants:
        each = [run for run in record["runs"] if run["variant"] == variant]
        assert [run["seed"] for run in each] == [0, 1]
        assert each[0]["test"]["mse"] != each[1]["test"]["mse"]
        for run in each:
            assert (runs / run["run"] / "weights.safetensors").exists()
            assert run["train"]["images"] == run["test"]["images"] == 20
            assert run["iterations"] == min(4, figure.variants[variant].training.iterations)
    assert (record["verdict"], record["why"]) == (figure.judge(results).verdict, figure.judge(results).why)
    for variant in figure.variants:
        assert any(results.has(variant, score, "test") for score in figure.scores)
    with Image.open(tmp_path / f"{name}.png") as picture:
        assert min(picture.size) > 50
        assert len(picture.convert("RGB").getcolors(2**20) or []) > 2


def test_results_do_not_depend_on_what_was_measured_before(runs: Path, tmp_path: Path) -> None:
    first = made(FIGURES["5.12"], runs, tmp_path / "first")
    torch.rand(7)
    assert made(FIGURES["5.12"], runs, tmp_path / "second") == first
    for end in ("json", "png"):
        files = [tmp_path / folder / f"5.12.{end}" for folder in ("first", "second")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_quick_results_never_replace_full_ones(runs: Path, tmp_path: Path) -> None:
    figure = FIGURES["5.12"]
    full = made(figure, runs, tmp_path, replace(TINY, quick=False))
    with pytest.raises(UserError, match=r"5\.12\.json: holds full results"):
        made(figure, runs, tmp_path)
    assert records.read(tmp_path, "5.12") == full


def test_large_images_are_shown_smaller(tmp_path: Path) -> None:
    start = two_rectangles()
    large = shortened(replace(start, data=replace(start.data, size=96, images=60, held_out=9)), 2)
    list(cache.train([large], tmp_path, quiet=True))
    picture = drawing.reconstructions(Reconstructions("Painter", side=3), large, tmp_path)
    assert 6 * drawing.SMALL < picture.width < 8 * drawing.SMALL
    assert 6 * drawing.SMALL < picture.height < 9 * drawing.SMALL


def test_of_many_moves_only_some_are_shown(tmp_path: Path) -> None:
    start = two_rectangles()
    many = shortened(vary(replace(start, data=replace(start.data, images=60)), moves=9), 2)
    list(cache.train([many], tmp_path, quiet=True))
    model = drawing._load(many, tmp_path)
    cells, columns = drawing._process(model, drawing.images_of(many.data, "test")[:2], 4)
    assert columns == ["1", "4", "6", "9", "x"]
    assert cells.shape == (2, 5, 1, 28, 28)
    with torch.no_grad():
        assert torch.allclose(cells[:, 3], model(cells[:, 4]).canvas, atol=1e-6)


def test_pictures_show_what_their_titles_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start, sheet = two_rectangles(), Image.new("L", (1, 1))
    data = replace(start.data, images=60, held_out=40)
    coded = shortened(vary(replace(start, data=data), latent=3, likelihood="ce"), 2)
    list(cache.train([coded], tmp_path, quiet=True))
    composed: list[list[sheets.Panel]] = []
    monkeypatch.setattr(sheets, "compose", lambda panels, *_: composed.append(panels) or sheet)
    for _ in range(2):
        drawing.process(Process(("a",), rows=4, columns=2, samples=True), {"a": coded}, tmp_path)
    drawing.progress(Progress(("a", "b"), images=4, across=2), {"a": coded, "b": coded}, tmp_path)
    drawing.reconstructions(Reconstructions("a", side=2), coded, tmp_path)
    (shown, samples), (_, again), progress, (paints, paints_held, train, held) = composed
    inks = [load(data, split).spread(4).ink() for split in ("train", "test")]
    model = drawing._load(coded, tmp_path)
    with torch.no_grad(), mean_codes(model):
        painted = [model(ink).canvas for ink in inks]
    for panel, title, images in (
        (paints, "painted from training images", painted[0]),
        (paints_held, "painted from held-out images", painted[1]),
        (train, "training images", inks[0]),
        (held, "held-out images", inks[1]),
    ):
        assert panel.title == title
        assert torch.allclose(panel.cells.flatten(0, 1), images, atol=1e-6)
    assert torch.equal(shown.cells[:, -1], inks[1])
    assert torch.allclose(shown.cells[:, -2], painted[1], atol=1e-6)
    assert torch.equal(torch.stack([panel.cells[1, -1] for panel in progress]), inks[1])
    assert [panel.rows for panel in progress] == [("a", "b"), (), ("a", "b"), ()]
    assert samples.title == "samples: a"
    assert samples.cells.shape == (4, 3, 1, 28, 28)
    assert torch.equal(samples.cells, again.cells)
    assert len(samples.cells.flatten(0, 1).flatten(1).unique(dim=0)) == 12


def test_moves_before_they_are_sorted(tmp_path: Path) -> None:
    start = two_rectangles()
    sorts = shortened(vary(replace(start, data=replace(start.data, images=60)), order="soft"), 2)
    list(cache.train([sorts], tmp_path, quiet=True))
    model, images = drawing._load(sorts, tmp_path), drawing.images_of(sorts.data, "test")
    cells, columns = drawing._process(model, images, 2, in_order=False)
    assert columns == ["1", "2", "x"]
    with torch.no_grad():
        strokes = model.eval()(images.ink()).strokes
    plain = replace(strokes, depth=None)
    assert torch.allclose(cells[:, 0], render(plain[:, :1], model.bank, (28, 28)), atol=1e-6)
    assert torch.allclose(cells[:, 1], render(plain, model.bank, (28, 28)), atol=1e-6)
    assert torch.equal(cells[:, 2], images.ink())
    changed = (cells[:, 1] - render(strokes, model.bank, (28, 28))).flatten(1).abs().amax(1) > 1e-3
    turned = strokes.depth[:, 0] > strokes.depth[:, 1]
    assert changed[turned].any()
    assert not changed[~turned].any()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small = replace(FIGURES["5.12"], quick=3)
    monkeypatch.setitem(registry.FIGURES, "5.12", small)
    folders = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    assert cli.main(["reproduce", "5.12", "3.2", "--quick", "--page", str(tmp_path / "page.md"), *folders]) == 0
    shown = capsys.readouterr().out
    assert "3.2  confirmed: " in shown
    assert "5.12  quick, so without a verdict: " in shown
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"5.12.json", "5.12.png", "3.2.json", "3.2.png"}
    assert "Transforming a template mask" in (tmp_path / "page.md").read_text("utf-8")
    run = next((tmp_path / "runs").iterdir())
    (run / "checkpoint.safetensors").write_text("broken")
    assert cli.main(["reproduce", "5.12", "3.4", "--quick", "-q", *folders]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("limner: 5.12: ")
    assert shown.err.count("\n") == 1
    assert (tmp_path / "out/3.4.json").exists()
    assert cli.main(["reproduce", "5.12", "--list", "--out", str(tmp_path / "out")]) == 0
    assert "quick, so without a verdict" in capsys.readouterr().out
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "1 confirmed, 43 not run yet, 1 quick, so without a verdict" in page


def test_what_cannot_be_written_is_told_before_any_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cache, "train", lambda *_: pytest.fail("was trained"))
    (tmp_path / "file").touch()
    line = ["reproduce", "5.12", "--quick", "--runs", str(tmp_path / "runs"), "--out"]
    assert cli.main([*line, str(tmp_path / "file")]) == 2
    assert "file: is a file, expected a folder to write to" in capsys.readouterr().err
    full = {"quick": False, "verdict": "confirmed", "why": "", "images": 1, "runs": []}
    (tmp_path / "5.12.json").write_text(json.dumps(full))
    assert cli.main([*line, str(tmp_path)]) == 2
    assert "5.12.json: holds full results" in capsys.readouterr().err


def test_losses_that_are_missing_are_told(runs: Path, tmp_path: Path) -> None:
    figure, mine = FIGURES["5.12"], tmp_path / "runs"
    made(figure, runs, tmp_path)
    shutil.copytree(runs, mine)
    for metrics in mine.glob("*/metrics.jsonl"):
        metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UserError, match=r"metrics\.jsonl: lacks losses of some iterations"):
        made(figure, mine, tmp_path)


def test_known_runs_are_trained_again_only_for_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def figure(name: str, layout: Dots | Process, seeds: int, curve: str = "") -> None:
        small = Figure(
            name, "", "", "", "", 0, layout, lambda results: Judgement("confirmed", ""), ("mse", "last"),
            {"Painter": shortened(two_rectangles(), 2)}, seeds, curve=curve,
        )  # fmt: skip
        monkeypatch.setitem(registry.FIGURES, name, small)

    def reproduce(name: str, *more: str) -> tuple[int, dict]:
        """How many runs were trained for it, and its record."""
        runs = tmp_path / f"runs of {name}"
        assert cli.main(["reproduce", name, "-q", "--runs", str(runs), "--out", str(tmp_path / "out"), *more]) == 0
        record = records.read(tmp_path / "out", name)
        assert record
        return sum(1 for _ in runs.glob("*")), record

    figure("5.4", Dots(("mse",)), seeds=2)
    figure("5.5", Dots(("mse",)), seeds=3)
    figure("5.10", Process(("Painter",)), seeds=2)
    figure("5.11", Dots(("mse",)), seeds=2, curve="loss")
    trained, first = reproduce("5.4", "--reuse")
    assert trained == 2
    trained, second = reproduce("5.5", "--reuse")
    assert trained == 1
    assert second["runs"][:2] == first["runs"]
    assert second["runs"][2]["seed"] == 2
    trained, third = reproduce("5.10", "--reuse")
    assert trained == 1
    assert third["runs"] == first["runs"]
    assert reproduce("5.11", "--reuse")[0] == 2
    trained, fourth = reproduce("5.5")
    assert trained == 3
    assert fourth == second


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["5.3"], r"no figure 5.3: there are"),
        ([], "no figure to reproduce: name one such as 5.3a, or all, or see --list"),
        (["3.1", "--jobs", "0"], "--jobs 0: expected at least 1"),
        (["3.1", "--quick", "--reuse"], "--reuse is of no use with --quick: results hold scores of full runs"),
        (["3.1", "--out", "file/results"], "file/results"),
        (
            ["3.1", "--out", ".", "--page", "3.2.json"],
            "3.2.json: is where figure 3.2 is published: choose",
        ),
        (["--list", "--out", ".", "--page", "./3.2.png"], "3.2.png: is where figure 3.2 is published"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    assert cli.main(["reproduce", *arguments]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


def test_real_data_from_end_to_end(data: Path | None, tmp_path: Path) -> None:
    if data is None or not (data / "MNIST").exists():
        pytest.skip("MNIST is not there")
    layout = Reconstructions("convolutional", side=3)
    figure = replace(FIGURES["5.22"], variants={"convolutional": mnist()}, layout=layout)
    record = made(figure, tmp_path / "runs", tmp_path / "out")
    assert len(record["runs"]) == 1
    assert record["runs"][0]["test"]["explained"] < 1
    assert (tmp_path / "out/5.22.png").stat().st_size <= sheets.MOST
