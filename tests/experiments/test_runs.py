import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image

import limner
from limner import cli
from limner.data import sources
from limner.data.loading import load as load_data
from limner.data.settings import Data
from limner.errors import UserError
from limner.experiments import runs
from limner.experiments.settings import Experiment, restored
from limner.experiments.thesis import EXPERIMENTS
from limner.models.build import check
from limner.models.settings import Kind, Model
from limner.painting import by_model
from limner.tables import GAP
from limner.training import loop, record
from limner.training.metrics import evaluate
from limner.training.settings import Training

SMALL = Experiment(
    Data("two-shapes", images=60, held_out=40),
    Model(moves=2, templates=("square", "circle"), hidden=16, gamma_rate=0.05),
    Training(iterations=20, batch=20),
)
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    runs.start(SMALL, folder, quiet=True)
    return folder


def test_a_saved_run_loads_in_a_fresh_process_and_gives_the_same_canvas(run: Path, tmp_path: Path) -> None:
    model = limner.load(run)
    torch.manual_seed(3)
    images = torch.rand(2, 1, 28, 28)
    script = f"""
import limner, torch
model = limner.load({str(run)!r})
torch.manual_seed(3)
torch.save(model(torch.rand(2, 1, 28, 28)).canvas.detach(), {str(tmp_path / "canvas.pt")!r})
"""
    subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, check=True)
    with torch.no_grad():
        canvas = model(images).canvas
    assert torch.equal(canvas, torch.load(tmp_path / "canvas.pt", weights_only=True))
    assert not model.training
    assert model.bank is not None
    assert model.bank.names == ("square", "circle")
    assert model.writers.writer.gamma == pytest.approx(2.0)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_settings_come_back_from_json_as_they_were(name: str) -> None:
    trained = runs.Trained(EXPERIMENTS[name](), (28, 28), 1)
    folder = replace(trained.experiment, data=replace(trained.experiment.data, folder=Path("pictures")))
    for each in (trained, replace(trained, experiment=folder)):
        assert restored(runs.Trained, json.loads(runs.as_json(each))) == each


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("part", "setting", "message"),
    [
        ("model", {"order": "depth"}, "order: 'depth' is none of fixed, soft, straight-through, evidence"),
        ("model", {"affine": "none"}, "affine: 'none' is none of full, scale"),
        ("model", {"latent_cost": "kl"}, "latent_cost: 'kl' is none of full, mu, none"),
        ("model", {"kind": "foo"}, "kind: 'foo' is none of simple"),
        ("model", {"likelihood": "bce"}, "likelihood: 'bce' is none of mse"),
        ("model", {"moves": 3.0}, r"moves: 3\.0 is of another kind than expected: give a whole number"),
        ("data", {"counts": (1, 2, 3)}, r"counts: \(1, 2, 3\) are 3 values, expected 2"),
        ("training", {"iterations": 1e1}, r"iterations: 10\.0 is of another kind than expected: give a whole number"),
        ("data", {"shapes": ("square", "ring")}, "shapes: 'ring' is none of square, circle, line, curve"),
    ],
)
def test_settings_that_could_not_be_loaded_are_not_trained(
    part: str, setting: dict[str, Any], message: str, tmp_path: Path
) -> None:
    odd = replace(SMALL, **{part: replace(getattr(SMALL, part), **setting)})
    with pytest.raises(UserError, match=message):
        runs.start(odd, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("unchecked")
def test_settings_may_be_of_numpy_and_lists_and_names_of_folders(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for k in range(12):
        Image.new("L", (32, 32), 20 * k).save(tmp_path / "pictures" / f"{k}.png")
    training = replace(SMALL.training, iterations=2, batch=4)
    mine = replace(SMALL, data=Data("folder", folder=tmp_path / "pictures", size=28), training=training)
    loose: dict[str, dict[str, Any]] = {
        "data": {"folder": str(tmp_path / "pictures")},
        "model": {"hidden": np.int64(16), "gamma_rate": np.float64(0.05), "templates": ["square", "circle"]},
        "training": {"betas": [0.9, 0.999], "mirror": np.bool_(False)},
    }
    same = replace(mine, **{part: replace(getattr(mine, part), **values) for part, values in loose.items()})
    runs.start(same, tmp_path / "run", quiet=True)
    assert runs.read(tmp_path / "run").experiment == mine
    assert limner.load(tmp_path / "run").settings == mine.model
    runs.start(same, tmp_path / "run", resume=True, quiet=True)


def test_a_run_is_not_trained_over(run: Path) -> None:
    with pytest.raises(UserError, match="--resume"):
        runs.start(SMALL, run, quiet=True)
    other = replace(SMALL, model=replace(SMALL.model, hidden=17))
    with pytest.raises(UserError, match=r"holds --model\.hidden 16, asked for 17: resume"):
        runs.start(other, run, resume=True, quiet=True)
    other = replace(SMALL, model=replace(SMALL.model, templates=("square",), gamma_rate=0.0))
    with pytest.raises(UserError, match=r"holds --model\.templates square circle, asked for square:"):
        runs.start(other, run, resume=True, quiet=True)
    other = replace(SMALL, data=replace(SMALL.data, held_out=50))
    with pytest.raises(UserError, match=r"holds --data\.held-out 40, asked for 50:"):
        runs.start(other, run, resume=True, quiet=True)
    other = replace(SMALL, data=replace(SMALL.data, images=None, held_out=50), model=replace(SMALL.model, hidden=17))
    with pytest.raises(UserError, match=r"60, asked for left out: .* \(--data\.held-out, --model\.hidden differ too\)"):
        runs.start(other, run, resume=True, quiet=True)


def test_more_iterations_can_be_asked_for(run: Path, tmp_path: Path) -> None:
    longer = replace(SMALL, training=replace(SMALL.training, iterations=30))
    runs.start(longer, tmp_path / "whole", quiet=True)
    (tmp_path / "parts").mkdir()
    for file in run.iterdir():
        (tmp_path / "parts" / file.name).write_bytes(file.read_bytes())
    runs.start(longer, tmp_path / "parts", resume=True, quiet=True)
    assert record.read(tmp_path / "parts/metrics.jsonl") == record.read(tmp_path / "whole/metrics.jsonl")
    assert runs.read(tmp_path / "parts").experiment == longer


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (None, "no trained model is there"),
        ("{", "not the settings of a run"),
        ("[]", "not the settings of a run"),
        ('{"x": 1}', "unknown setting x"),
        (
            '{"experiment": {"model": {"hidden": "x"}}, "size": [28, 28], "channels": 1}',
            "hidden: 'x' is of another kind",
        ),
        ('{"experiment": {"model": {"moves": null}}, "size": [28, 28], "channels": 1}', "moves: None is of another"),
        ('{"experiment": {"model": {"layers": 2.5}}, "size": [28, 28], "channels": 1}', r"layers: 2\.5 is of another"),
        ('{"experiment": {"model": {"templates": "square"}}, "size": [8, 8], "channels": 1}', "templates: 'square' is"),
        ('{"experiment": {"model": {"kind": "x"}}, "size": [28, 28], "channels": 1}', "kind: 'x' is none of simple"),
        ('{"experiment": {}, "size": 28, "channels": 1}', "size: 28 is of another kind"),
        ('{"experiment": {}, "size": [28], "channels": 1}', "not the settings of a run"),
    ],
)
def test_what_is_no_run_is_named(tmp_path: Path, settings: str | None, message: str) -> None:
    if settings:
        (tmp_path / "settings.json").write_text(settings)
    with pytest.raises(UserError, match=message) as error:
        limner.load(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_train_and_evaluate_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    sizes = ["--data.images", "60", "--data.held-out", "30", "--model.hidden", "8", "--training.batch", "10"]
    train = ["train", "two-rectangles", "--out", str(run), "-q", *sizes, "--training.iterations"]
    assert cli.main([*train, "5"]) == 0
    assert cli.main([*train, "5"]) == 2
    assert cli.main([*train, "8", "--resume"]) == 0
    capsys.readouterr()
    files = ["--json", str(tmp_path / "scores.json"), "--picture", str(tmp_path / "process.png")]
    assert cli.main(["evaluate", str(run), *files]) == 0
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["images"] == 30
    assert {"mse", "psnr", "ssim", "iou", "all_found", "count", "live"} <= set(scores)
    assert f"{scores['mse']:.5g}" in capsys.readouterr().out
    assert (tmp_path / "process.png").exists()
    assert cli.main(["evaluate", str(run), "--samples", "5"]) == 0
    printed = capsys.readouterr()
    assert "iwae" not in printed.out
    assert printed.err.endswith("run: no iwae: only variational models of a likelihood in nats have bounds\n")
    assert printed.err.count("\n") == 1


def test_what_is_asked_for_is_measured(tmp_path: Path) -> None:
    codes = replace(SMALL, model=Model(hidden=8, latent=3, likelihood="ce"), training=Training(iterations=1, batch=20))
    runs.start(codes, tmp_path / "run", quiet=True)
    files = [tmp_path / "scores.json", tmp_path / "process.png"]
    asked = ["--split", "train", "--images", "15", "--seed", "7", "--samples", "2"]
    line = ["evaluate", str(tmp_path / "run"), *asked, "--json", str(files[0]), "--picture", str(files[1])]
    assert cli.main(line) == 0
    images, model = load_data(codes.data, "train").spread(15), runs.load(tmp_path / "run")
    expected = evaluate(model, images, samples=2, seed=7)
    assert evaluate(model, images, samples=2, seed=0)["iwae"] != expected["iwae"]
    found = json.loads(files[0].read_text())
    assert [found.pop(name) for name in ("run", "split", "seed")] == ["run", "train", 7]
    assert found == pytest.approx(expected, rel=1e-6)
    with Image.open(files[1]) as picture:
        assert picture.size == (GAP + 3 * (28 + GAP), GAP + 10 * (28 + GAP))


def test_a_run_is_measured_on_other_images_by_other_numbers_of_moves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = replace(
        SMALL, data=Data("two-rectangles", images=60, held_out=30, seed=3), model=Model("pointing", hidden=8)
    )
    runs.start(mine, tmp_path / "run", quiet=True)
    line = ["evaluate", str(tmp_path / "run"), "--json", str(tmp_path / "scores.json")]
    asked = ["--data.counts", "5", "5", "--data.min-side", "3", "--data.held-out", "20", "--moves", "5"]
    assert cli.main([*line, *asked]) == 0
    model = runs.load(tmp_path / "run")
    model.settings = replace(model.settings, moves_test=5)
    other = replace(mine.data, counts=(5, 5), min_side=3.0, held_out=20)
    expected = evaluate(model, load_data(other, "test"), samples=0, seed=0)
    found = json.loads((tmp_path / "scores.json").read_text())
    assert (found["moves"], found["data"]["counts"], found["data"]["seed"]) == (5, [5, 5], 3)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert cli.main([*line, "--data.name", "zero-to-two-rectangles"]) == 0
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["mse"] == pytest.approx(
        evaluate(runs.load(tmp_path / "run"), load_data(replace(mine.data, name="zero-to-two-rectangles"), "test"))[
            "mse"
        ]
    )
    capsys.readouterr()
    for asked, words in (
        (["--data.size", "32"], "--data.size: two-rectangles has 32 x 32, "),
        (["--data.channels", "3"], "--data.channels: two-rectangles has 3, "),
        (["--data.counts", "3", "2"], "--data.counts 3 2: expected the fewest"),
        (["--data.counts-held-out", "3", "2"], "--data.counts-held-out 3 2: expected the fewest"),
        (["--moves", "0"], "--moves 0: expected 1 to 10000"),
        (["--folder", "."], "was trained on two-rectangles, not on a folder"),
        (["--data.images", "20"], "--data.images is of no use with --split test"),
        (["--split", "train", "--data.held-out", "20"], "--data.held-out is of no use with --split train"),
        (["--split", "train", "--data.counts-held-out", "5", "5"], "--data.counts-held-out is of no use with --split"),
    ):
        assert cli.main([*line, *asked]) == 2
        assert words in capsys.readouterr().err


def test_what_is_asked_of_other_images_is_what_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apart = Data("shapes", images=60, held_out=20, size=56, max_side=20.0, counts=(1, 2), counts_held_out=(3, 3))
    runs.start(replace(SMALL, data=apart), tmp_path / "run", quiet=True)
    line = ["evaluate", str(tmp_path / "run"), "--json", str(tmp_path / "scores.json")]
    for asked, wanted in (
        ([], apart),
        (["--data.min-side", "16"], replace(apart, min_side=16.0)),
        (["--data.counts", "2", "2"], replace(apart, counts=(2, 2), counts_held_out=None)),
        (["--data.counts", "2", "2", "--data.counts-held-out", "4", "4"], replace(apart, counts_held_out=(4, 4))),
        (["--data.name", "two-rectangles"], Data("two-rectangles", images=60, held_out=20, size=56)),
    ):
        assert cli.main([*line, *asked]) == 0
        expected = evaluate(runs.load(tmp_path / "run"), load_data(wanted, "test"))["mse"]
        assert json.loads((tmp_path / "scores.json").read_text())["mse"] == pytest.approx(expected)
    assert cli.main(["evaluate", str(tmp_path / "nowhere"), "--data.counts", "3", "2"]) == 2
    assert "--data.counts 3 2" in capsys.readouterr().err


def test_images_of_another_size_are_told_of_before_they_are_fetched(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIMNER_DATA", str(tmp_path))
    for name, words in (("omniglot", "--data.size: omniglot has 105 x 105, "), ("mnist", "mnist is missing")):
        assert cli.main(["evaluate", str(run), "--data.name", name]) == 2
        assert words in capsys.readouterr().err


def test_other_pictures_are_measured_and_not_the_runs_own_with_others_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, count in (("pictures", 12), ("others", 15)):
        (tmp_path / folder).mkdir()
        for k in range(count):
            Image.new("L", (32, 32), 7 * k + count).save(tmp_path / folder / f"{k}.png")
    monkeypatch.chdir(tmp_path)
    runs.start(replace(SMALL, data=Data("folder", folder=Path("pictures"), size=28)), Path("run"), quiet=True)
    line = ["evaluate", "run", "--json", "scores.json"]
    assert cli.main([*line, "--data.folder", "others"]) == 0
    found = json.loads(Path("scores.json").read_text())
    assert found["data"]["folder"] == "others"
    expected = evaluate(runs.load("run"), load_data(Data("folder", folder=Path("others"), size=28), "test"))
    assert found["mse"] == pytest.approx(expected["mse"])
    assert cli.main([*line, "--data.name", "two-rectangles"]) == 0
    assert cli.main([*line, "--folder", "others", "--data.folder", "pictures"]) == 2
    assert "--folder others: --data.folder is given, too" in capsys.readouterr().err
    Image.new("L", (32, 32), 3).save("pictures/more.png")
    for asked in ([], ["--data.held-out", "1"], ["--data.folder", "pictures"]):
        assert cli.main([*line, *asked]) == 2
        assert "its folder held 12 pictures, and holds 13 now" in capsys.readouterr().err


def test_painters_that_give_all_moves_at_once_give_no_others(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for count in ("2", "3"):
        assert cli.main(["evaluate", str(run), "--moves", count]) == 2
        assert capsys.readouterr().err.endswith("is of kind simple, which gives no other number\n")


def test_a_painter_that_never_saw_a_canvas_gives_no_more_moves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = replace(SMALL, model=Model("canvas-recurrent", moves=1, hidden=8), training=Training(iterations=1, batch=5))
    runs.start(one, tmp_path / "run", quiet=True)
    assert cli.main(["evaluate", str(tmp_path / "run"), "--moves", "2"]) == 2
    assert "it has never seen a canvas" in capsys.readouterr().err


def test_every_iteration_of_a_greedy_run_has_its_losses(tmp_path: Path) -> None:
    greedy = replace(SMALL, model=Model("pointing", hidden=8, greedy=7), training=Training(iterations=120, batch=5))
    runs.start(greedy, tmp_path / "run", quiet=True)
    course = record.read(tmp_path / "run" / "metrics.jsonl")
    assert [loss > 0 for loss in course["greedy"]] == [True] * 7 + [False] * 113
    totals = [a + b for a, b in zip(course["reconstruction"], course["greedy"], strict=True)]
    assert course["loss"] == pytest.approx(totals, rel=1e-4)


def test_a_seed_is_also_of_the_first_weights(tmp_path: Path) -> None:
    firsts = []
    for seed in (0, 1):
        still = replace(SMALL, training=Training(iterations=1, batch=20, rate=1e-12, seed=seed))
        runs.start(still, tmp_path / f"{seed}", quiet=True)
        firsts.append(next(runs.load(tmp_path / f"{seed}").parameters()))
    assert (firsts[0] - firsts[1]).abs().mean() > 0.01


def test_loading_a_run_draws_no_random_numbers(run: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    runs.load(run)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["train", "mnist", "--training.iterations", "0"], "iterations"),
        (["train", "mnist", "--training.rate", "-1"], "rate"),
        (["train", "two-rectangles", "--model.order", "soft", "--model.kind", "draw"], "order"),
        (["train", "two-rectangles", "--data.counts", "3", "1"], "counts"),
        (["train", "nothing"], "nothing"),
        (["train", "mnist", "--training.betas", "1.5", "0.9"], "betas"),
        (["train", "mnist", "--training.seed", "99999999999999"], "seed"),
        (["train", "mnist", "--model.phi0", "nan"], "phi0"),
        (["train", "two-rectangles", "--model.batch-norm", "--training.batch", "1"], "batch"),
        (["train", "two-rectangles", "--model.kind", "conv", "--data.size", "12"], "13 pixels"),
        (["train", "omniglot", "--data.size", "12", "--data.folder", "nowhere"], "13 pixels"),
        (["evaluate", "nowhere", "--picture", "process.xyz"], "process.xyz"),
        (["evaluate", "nowhere"], "no trained model"),
        (["evaluate", "nowhere", "--images", "0"], "images"),
        (["evaluate", "nowhere", "--samples", "-1"], "samples"),
        (["evaluate", "nowhere", "--seed", "99999999999999999999"], "--seed 99999999999999999999: expected 0 to"),
        (["evaluate", "nowhere", "--json", "a.png", "--picture", "a.png"], "--json is to be written there too"),
        (["evaluate", "nowhere", "--json", "../a.png", "--picture", f"{os.pardir}//a.png"], "--json is to be written"),
        (["train", "mnist", "--training.threads", "100000"], "--training.threads 100000: expected 1 to 1024"),
        (["train", "mnist", "--training.batch", "1000000000000"], "--training.batch 1000000000000: expected 1 to"),
        (["train", "mnist", "--training.rate", "inf"], "--training.rate inf: expected"),
        (["train", "two-rectangles", "--model.moves", "99999999999999999999"], "--model.moves 99999999999999999999"),
        (
            ["train", "mnist", "--training.rate-after", "1e-5"],
            "rate-after 1e-05 is of no use without --training.drop-at",
        ),
        (["train", "mnist", "--model.kind", "t-air", "--model.order", "soft"], "order soft is of no use to kind t-air"),
        (["train", "two-rectangles", "--data.size", "100000000"], "size 100000000: expected 1 to 8192"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    message = capsys.readouterr().err
    assert word in message
    assert message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def copied(run: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in run.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_a_run_does_not_lie_among_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        (tmp_path / "pics").mkdir(exist_ok=True)
        Image.new("L", (20, 20), number).save(tmp_path / "pics" / f"{number}.png")
    among = replace(SMALL, data=Data("folder", folder=Path("pics")))
    with pytest.raises(UserError, match=r"run: lies in .*pics, whose pictures are the data: give --out another"):
        runs.start(among, tmp_path / "pics" / "own" / "run", quiet=True)
    assert len(list((tmp_path / "pics").iterdir())) == 4


@pytest.mark.parametrize("name", runs.FILES)
def test_measuring_replaces_no_file_of_the_run(
    name: str, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run)
    before = (run / name).read_bytes()
    assert cli.main(["evaluate", ".", "--json", f"../{run.name}/{name}"]) == 2
    assert f"{name}: is a file of the run: choose another name" in capsys.readouterr().err
    assert (run / name).read_bytes() == before


def test_nothing_is_written_among_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would replace one of them, or become one."""
    pictures = tmp_path / "pics"
    pictures.mkdir()
    for number in range(4):
        Image.new("L", (20, 20), number).save(pictures / f"{number}.png")
    runs.start(replace(SMALL, data=Data("folder", folder=pictures, size=28)), tmp_path / "run", quiet=True)
    monkeypatch.chdir(pictures)
    before = {file.name: file.read_bytes() for file in pictures.iterdir()}
    evaluate, show = ["evaluate", str(tmp_path / "run")], ["data", "show", "folder", "--folder", "."]
    for line in ([*evaluate, "--picture", "1.png"], [*evaluate, "--json", "new.json"], [*show, "-o", "2.png"], show):
        assert cli.main(line) == 2
        assert (
            f": lies in {'.' if line[0] == 'data' else pictures}, whose pictures are the data"
            in capsys.readouterr().err
        )
    assert {file.name: file.read_bytes() for file in pictures.iterdir()} == before


def test_nothing_is_written_among_a_sets_images(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / sources.SOURCES["omniglot"].folder
    monkeypatch.setattr(sources.Source, "inside", lambda self, root: folder)
    assert cli.main(["data", "show", "omniglot", "-o", str(folder / "a.png")]) == 2
    assert "a.png: lies in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"size": [0, 28]}, "images of 0 x 28 and 1 channels"),
        ({"size": [28, 10**18]}, "images of 28 x 1000000000000000000"),
        ({"channels": 2}, "images of 28 x 28 and 2 channels"),
        ({"threads": 0}, "threads 0: expected 1 to 1024"),
        ("[" * 100_000, "not the settings of a run"),
    ],
)
def test_settings_that_no_run_has(changed: dict | str, words: str, run: Path, tmp_path: Path) -> None:
    odd = copied(run, tmp_path / "odd") / runs.SETTINGS
    if isinstance(changed, dict):
        settings = json.loads(odd.read_text())
        part = settings["experiment"]["training"] if "threads" in changed else settings
        part.update(changed)
        changed = json.dumps(settings)
    odd.write_text(changed)
    with pytest.raises(UserError, match=rf"settings\.json: .*{words}"):
        runs.load(tmp_path / "odd")


def test_strokes_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"strokes\.json: no trained model is there: .*; limner\.Painting\.load reads"):
        runs.load(tmp_path / "strokes.json")


def test_fewer_iterations_than_are_done_are_refused_and_change_nothing(run: Path, tmp_path: Path) -> None:
    again = copied(run, tmp_path / "again")
    shorter = replace(SMALL, training=replace(SMALL.training, iterations=15))
    with pytest.raises(UserError, match="20 iterations are done already"):
        runs.start(shorter, again, resume=True, quiet=True)
    for file in run.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes()


def test_a_run_goes_on_with_another_rate_and_clip_but_not_with_another_batch(run: Path, tmp_path: Path) -> None:
    again = copied(run, tmp_path / "again")
    slower = replace(SMALL.training, iterations=25, rate=1e-4, clip=100.0)
    runs.start(replace(SMALL, training=slower), again, resume=True, quiet=True)
    assert len(record.read(again / "metrics.jsonl")["loss"]) == 25
    with pytest.raises(UserError, match=r"--training\.batch 20, asked for 10"):
        runs.start(replace(SMALL, training=replace(slower, batch=10)), again, resume=True, quiet=True)


def test_what_is_not_given_stays_as_it_is_in_a_run_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "run"), "-q"]
    data, model = ["--data.images", "40", "--data.held-out", "20"], ["--model.hidden", "8"]
    rates = ["--training.rate", "0.0002", "--training.drop-at", "3", "--training.clip", "5"]
    size = ["--training.iterations", "4", "--training.batch", "10"]
    assert cli.main(["train", "two-rectangles", *out, *data, *model, *rates, *size]) == 0
    begun = runs.read(tmp_path / "run").experiment
    assert cli.main(["train", "two-rectangles", *out, "--resume"]) == 0
    assert runs.read(tmp_path / "run").experiment == begun
    assert cli.main(["train", "two-rectangles", *out, "--resume", "--training.iterations", "6"]) == 0
    assert runs.read(tmp_path / "run").experiment == replace(begun, training=replace(begun.training, iterations=6))
    assert len(record.read(tmp_path / "run" / "metrics.jsonl")["loss"]) == 6
    kinds = ["train", "two-rectangles", "--out", str(tmp_path / "kind"), "-q"]
    assert cli.main([*kinds, "--model.kind", "recurrent", *data, *model, *size]) == 0
    assert cli.main([*kinds, "--resume"]) == 0
    assert cli.main([*kinds, "--resume", "--model.kind", "conv"]) == 2
    assert "holds --model.kind recurrent, asked for conv: resume with the same settings\n" in capsys.readouterr().err
    for other in (
        ["two-rectangles", "--model.hidden", "9"],
        ["two-shapes"],
        ["two-rectangles", "--model.kind", "recurrent"],
    ):
        assert cli.main(["train", *other, *out, "--resume"]) == 2
        assert "resume with the same settings" in capsys.readouterr().err


def test_a_run_that_never_came_to_a_checkpoint_is_begun_as_asked_for(tmp_path: Path) -> None:
    asked = ["--data.images", "20", "--data.held-out", "5", "--training.iterations", "2", "--training.batch", "4"]
    left = replace(EXPERIMENTS["two-rectangles"](), model=SMALL.model)
    (tmp_path / "settings.json").write_text(runs.as_json(runs.Trained(left, (28, 28), 1)))
    assert cli.main(["train", "two-rectangles", "--out", str(tmp_path), "--resume", "-q", *asked]) == 0
    assert runs.read(tmp_path).experiment.model == EXPERIMENTS["two-rectangles"]().model


def test_a_run_that_never_came_to_a_checkpoint_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "settings.json").write_text(runs.as_json(runs.Trained(SMALL, (28, 28), 1)))
    runs.start(SMALL, run, resume=True)
    told = f"limner: {run}: ended before its first checkpoint: begins anew, as is asked for now\n"
    assert capsys.readouterr().err == told
    for folder in (run, tmp_path / "new"):
        runs.start(SMALL, folder, resume=True)
    assert capsys.readouterr().err == ""


def test_files_of_a_run_without_settings_are_left_alone(run: Path, tmp_path: Path) -> None:
    for name in ("metrics.jsonl", "checkpoint.safetensors", "weights.safetensors"):
        folder = tmp_path / name.split(".")[0]
        folder.mkdir()
        (folder / name).write_bytes((run / name).read_bytes())
        for resume in (False, True):
            with pytest.raises(UserError, match=f"holds a {name} without settings"):
                runs.start(SMALL, folder, resume, quiet=True)
        assert (folder / name).read_bytes() == (run / name).read_bytes()


def test_a_model_without_a_checkpoint_is_left_alone(run: Path, tmp_path: Path) -> None:
    shipped = copied(run, tmp_path / "shipped")
    (shipped / "checkpoint.safetensors").unlink()
    before = {file.name: file.read_bytes() for file in shipped.iterdir() if file.name != ".lock"}
    for resume in (False, True):
        with pytest.raises(UserError, match=r"holds weights\.safetensors without the checkpoint"):
            runs.start(SMALL, shipped, resume, quiet=True)
    assert {name: (shipped / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("resume", [False, True])
def test_settings_of_something_else_are_left_alone(resume: bool, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"editor.fontSize": 14}')
    with pytest.raises(UserError, match=r"settings\.json: not the settings of a run"):
        runs.start(SMALL, tmp_path, resume, quiet=True)
    assert (tmp_path / "settings.json").read_text() == '{"editor.fontSize": 14}'


def test_a_start_that_failed_is_in_nobodys_way(tmp_path: Path) -> None:
    broken = replace(SMALL, training=replace(SMALL.training, rate=1e30), model=replace(SMALL.model, gamma_rate=0.0))
    with pytest.raises(UserError, match="no longer a number"):
        runs.start(broken, tmp_path / "run", quiet=True)
    runs.start(SMALL, tmp_path / "run", quiet=True)
    assert runs.read(tmp_path / "run").experiment == SMALL


class WindowsLock(FileLock):
    """One whose file cannot be removed before it is let go, and is then."""

    def _release(self) -> None:
        super()._release()
        Path(self.lock_file).rename(f"{self.lock_file}-gone")
        os.remove(f"{self.lock_file}-gone")


def test_no_folder_is_left_where_open_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(runs, "FileLock", WindowsLock)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(RuntimeError), runs._alone(tmp_path / "a" / "run"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with runs._alone(tmp_path / "run"):
        (tmp_path / "run" / "settings.json").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["settings.json"]


def test_only_one_process_trains_in_a_folder(run: Path, tmp_path: Path) -> None:
    again = copied(run, tmp_path / "again")
    longer = replace(SMALL, training=replace(SMALL.training, iterations=21))
    with FileLock(again / ".lock"), pytest.raises(UserError, match="another process is training there"):
        runs.start(longer, again, resume=True, quiet=True)
    runs.start(longer, again, resume=True, quiet=True)


def test_a_run_does_not_go_on_with_more_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures").mkdir()
    for k in range(12):
        Image.new("L", (32, 32), 20 * k).save(tmp_path / "pictures" / f"{k}.png")
    mine = replace(SMALL, data=Data("folder", folder=tmp_path / "pictures", size=28))
    runs.start(mine, tmp_path / "run", quiet=True)
    Image.new("L", (32, 32), 7).save(tmp_path / "pictures" / "12.png")
    longer = replace(mine, training=replace(mine.training, iterations=25))
    with pytest.raises(UserError, match="was trained on 10 images, now there are 11: train anew"):
        runs.start(longer, tmp_path / "run", resume=True, quiet=True)
    assert cli.main(["evaluate", str(tmp_path / "run")]) == 2
    assert "was trained on 10 images, now there are 11: train anew" in capsys.readouterr().err
    (tmp_path / "pictures" / "12.png").unlink()
    assert cli.main(["evaluate", str(tmp_path / "run")]) == 0
    runs.start(longer, tmp_path / "run", resume=True, quiet=True)


def test_a_folder_that_has_moved_is_told_to_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures").mkdir()
    for k in range(12):
        Image.new("L", (32, 32), 20 * k).save(tmp_path / "pictures" / f"{k}.png")
    runs.start(replace(SMALL, data=Data("folder", folder=tmp_path / "pictures", size=28)), tmp_path / "run", quiet=True)
    command = ["evaluate", str(tmp_path / "run")]
    assert cli.main(command) == 0
    there = capsys.readouterr().out
    (tmp_path / "pictures").rename(tmp_path / "moved")
    assert cli.main(command) == 2
    assert cli.main([*command, "--folder", str(tmp_path / "moved")]) == 0
    assert capsys.readouterr().out == there
    (tmp_path / "moved" / "3.png").unlink()
    assert cli.main([*command, "--folder", str(tmp_path / "moved")]) == 2
    assert "its folder held 12 pictures, and holds 11 now; it was trained on 10 images" in capsys.readouterr().err


def test_a_run_on_no_folder_is_not_evaluated_on_one(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", str(run), "--folder", "pictures"]) == 2
    assert "was trained on two-shapes, not on a folder" in capsys.readouterr().err


@pytest.mark.parametrize("resume", [False, True])
def test_training_leaves_the_random_numbers_of_others_alone(resume: bool, run: Path, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    longer = replace(SMALL, training=replace(SMALL.training, iterations=22))
    runs.start(longer, copied(run, tmp_path / "again") if resume else tmp_path / "run", resume, quiet=True)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("count", "images"), [(12, 6), (19, None)])
def test_more_pictures_are_noticed_though_as_many_are_trained_on(
    count: int, images: int | None, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    for k in range(count):
        Image.new("L", (32, 32), 10 * k).save(tmp_path / "pictures" / f"{k}.png")
    mine = replace(SMALL, data=Data("folder", folder=tmp_path / "pictures", size=28, images=images))
    runs.start(mine, tmp_path / "run", quiet=True)
    for k in range(count, count + 2):
        Image.new("L", (32, 32), 7).save(tmp_path / "pictures" / f"{k}.png")
    longer = replace(mine, training=replace(mine.training, iterations=25))
    with pytest.raises(UserError, match=f"its folder held {count} pictures, and holds {count + 2} now: train anew"):
        runs.start(longer, tmp_path / "run", resume=True, quiet=True)
    assert cli.main(["evaluate", str(tmp_path / "run")]) == 2


def test_a_run_on_a_folder_is_evaluated_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pictures").mkdir()
    for k in range(12):
        Image.new("L", (32, 32), 20 * k).save(tmp_path / "pictures" / f"{k}.png")
    monkeypatch.chdir(tmp_path)
    settings = ["--data.name", "folder", "--model.hidden", "8", "--training.batch", "4", "--out", "run", "-q"]
    train = ["train", "mnist", *settings, "--training.iterations"]
    assert cli.main([*train, "2", "--data.folder", "pictures"]) == 0
    assert cli.main([*train, "3", "--data.folder", str(tmp_path / "pictures"), "--resume"]) == 0
    assert cli.main(["train", "mnist", "--out", "run", "-q", "--resume", "--training.iterations", "4"]) == 0
    monkeypatch.chdir(tmp_path / "pictures")
    assert cli.main(["evaluate", "../run"]) == 0
    monkeypatch.chdir(tmp_path)
    mine = replace(runs.read(tmp_path / "run").experiment, data=Data("folder", folder=Path("pictures"), size=28))
    runs.start(mine, "mine", quiet=True)
    monkeypatch.chdir(tmp_path / "mine")
    assert cli.main(["evaluate", ".", "--json", "scores.json"]) == 0
    assert json.loads(Path("scores.json").read_text())["run"] == "mine"


def test_a_run_paints_with_masks_of_ones_own_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = Image.new("L", (56, 56))
    mask.paste(255, (0, 28, 56, 56))
    mask.save(tmp_path / "half.png")
    monkeypatch.chdir(tmp_path)
    few = ["--data.images", "40", "--model.hidden", "8", "--training.batch", "4", "--out", "run", "-q"]
    train = ["train", "two-rectangles", *few, "--model.templates", "half.png", "circle", "--training.iterations"]
    assert cli.main([*train, "2"]) == 0
    assert cli.main([*train, "3", "--resume"]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    bank = limner.load("../run").bank
    assert bank is not None
    assert bank.names == ("half", "circle")
    assert torch.equal(bank.masks, limner.TemplateBank.load([tmp_path / "half.png", "circle"], size=28).masks)
    assert bank.masks[0].mean() == pytest.approx(0.5)
    Image.radial_gradient("L").save("photo.png")
    assert cli.main(["paint", "photo.png", "-n", "4", "--size", "32", "--model", "../run", "-o", "a.json", "-q"]) == 0
    painted = limner.Painting.load("a.json").bank
    assert painted.names == ("half", "circle")
    assert painted.masks.mean((1, 2)).tolist() == pytest.approx([0.5, torch.pi / 4], abs=0.01)
    Image.new("L", (56, 56), 255).save(tmp_path / "half.png")
    assert torch.equal(by_model.brushes(limner.load("../run")).masks, painted.masks)
    (tmp_path / "half.png").unlink()
    assert cli.main(["evaluate", "../run"]) == 2
    assert "half.png: expected some of circle, square" in capsys.readouterr().err


@pytest.mark.parametrize("iterations", [["--training.iterations", "3"], ["--training.iterations", "3", "-q"]])
def test_no_bar_where_nobody_looks(
    iterations: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", "two-rectangles", "--data.images", "20", "--model.hidden", "8", *iterations]) == 0
    assert capsys.readouterr().err == ""


def test_a_set_that_is_there_in_part_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "omniglot-py" / "images_background"
    for alphabet in ("Latin", "Greek"):
        (folder / alphabet / "character01").mkdir(parents=True)
        for k in range(1, 5):
            Image.new("L", (105, 105), 50 * k).save(folder / alphabet / "character01" / f"0001_0{k}.png")
    sizes = ["--training.batch", "4", "--training.iterations", "1", "--data.size", "28"]
    train = ["train", "omniglot", "--data.folder", str(tmp_path), *sizes, "--out"]
    words = f"limner: {folder}: 19,272 of the 19,280 images are missing\n"
    for command, said in (
        ([*train, str(tmp_path / "run")], words),
        (["evaluate", str(tmp_path / "run")], words),
        ([*train, str(tmp_path / "other"), "-q"], ""),
    ):
        assert cli.main(command) == 0
        assert capsys.readouterr().err == said


@pytest.mark.usefixtures("interruptible")
def test_a_stopped_training_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seed_noise, run = loop.seed_noise, str(tmp_path / "run")

    def interrupting(seed: int, iteration: int, process: int = 0) -> None:
        if iteration == 3:
            os.kill(os.getpid(), signal.SIGINT)
        seed_noise(seed, iteration, process)

    train = ["train", "two-rectangles", "--data.images", "50", "--training.iterations", "6", "-q", "--out", run]
    with monkeypatch.context() as patch:
        patch.setattr(loop, "seed_noise", interrupting)
        assert cli.main(train) == 130
    assert capsys.readouterr().err == "limner: stopped after iteration 3 of 6: --resume goes on\n"
    assert cli.main([*train, "--resume"]) == 0
    assert len(record.read(tmp_path / "run" / "metrics.jsonl")["loss"]) == 6


def test_without_tensorboard_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    run = tmp_path / "run"
    assert cli.main(["train", "two-rectangles", "--training.tensorboard", "--out", str(run)]) == 2
    assert "needs the package tensorboard" in capsys.readouterr().err
    assert not run.exists()


def test_two_processes_need_two_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runs, "device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(UserError, match="2 processes cannot share 1 GPU: start 1 here"):
        runs.start(EXPERIMENTS["two-rectangles"](), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_two_processes_train_the_same_model(tmp_path: Path) -> None:
    sizes = ["--data.images", "100", "--training.batch", "20", "--training.iterations", "30", "--out"]
    train = ["-m", "limner", "train", "two-rectangles", *sizes]
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    on_cpu = ENVIRONMENT | {"CUDA_VISIBLE_DEVICES": ""}
    quietly: dict[str, Any] = {"cwd": tmp_path, "env": on_cpu, "capture_output": True, "text": True}
    for command in ([*launch, *train, "two"], [*train, "one"]):
        done = subprocess.run([sys.executable, *command], check=False, **quietly)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("trained; see how good it is") == 1
    odd = [sys.executable, *launch, *train, "odd", "--training.batch", "5"]
    refused = subprocess.run(odd, check=False, **quietly)
    assert "5 cannot be shared by 2 processes" in refused.stderr
    assert not (tmp_path / "odd").exists()
    one, two = (record.read(tmp_path / name / "metrics.jsonl")["loss"] for name in ("one", "two"))
    assert len(two) == 30
    assert two == pytest.approx(one, rel=1e-3)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_any_kind_can_be_put_into_any_experiment(experiment: str, kind: str) -> None:
    model = replace(EXPERIMENTS[experiment]().model, kind=kind)
    check(replace(model, hidden=32, latent=5, window=6))
