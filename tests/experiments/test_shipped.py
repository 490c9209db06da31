"""The models that come with limner: they load by name, reach the scores of their cards, and paint photographs."""

from pathlib import Path

import pytest
import torch

import limner
from limner import cli
from limner.data.loading import load as load_data
from limner.experiments import runs, shipped
from limner.models.painter import Painter

ship = cli.bench("ship")
PHOTOGRAPH = Path(__file__).parents[2] / "examples/photo.jpg"
named = pytest.mark.parametrize("name", ship.MODELS)


def test_there_are_those_that_are_documented_and_they_are_small() -> None:
    assert shipped.names() == sorted(ship.MODELS)
    assert sum(file.stat().st_size for file in shipped.FOLDER.rglob("*") if file.is_file()) < 5_000_000
    assert all(name in (limner.load.__doc__ or "") for name in ship.MODELS)


@named
def test_a_card_is_made_from_the_scores(name: str) -> None:
    assert ship.card(name) == (shipped.FOLDER / name / "README.md").read_text("utf-8")
    for part in ("Data", "Terms of the data", "Beware", "Trained by", "held out"):
        assert part in ship.card(name)


@named
def test_the_command_of_a_card_trains_that_model(name: str) -> None:
    words = ship.command(ship.MODELS[name].experiment).split()
    options = cli.parse(words[1:])
    assert isinstance(options, cli.TrainOptions)
    assert options.experiment == ship.MODELS[name].experiment == runs.read(Path(name)).experiment


@named
def test_a_model_reaches_the_scores_of_its_card(name: str, data: Path | None) -> None:
    experiment = ship.MODELS[name].experiment
    if not experiment.data.synthetic and data is None:
        pytest.skip("LIMNER_DATA names no folder")
    model = limner.load(name)
    assert isinstance(model, Painter)
    assert not model.training
    ink = load_data(experiment.data, "test").spread(ship.IMAGES).ink()
    with torch.no_grad():
        canvas = torch.cat([model(part).canvas for part in ink.split(100)])
    scores = ship.scores(name)["test"]
    assert (canvas - ink).square().mean().item() == pytest.approx(scores["mse"], rel=1e-3)
    errors = (canvas - ink).square().flatten(1).mean(1)
    assert (-10 * errors.log10()).mean().item() == pytest.approx(scores["psnr"], abs=0.01)


@named
def test_a_photograph_begins_with_a_model_by_name(name: str, tmp_path: Path) -> None:
    saved = tmp_path / "a.json"
    assert (
        cli.main(["paint", str(PHOTOGRAPH), "-n", "60", "--size", "48", "--model", name, "-o", str(saved), "-q"]) == 0
    )
    assert len(limner.strokes_json.parse(saved).strokes) == 60


def test_a_run_of_that_name_comes_first_and_a_data_set_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    for name in ("mnist", "mnist/", "./mnist", Path("mnist")):
        assert shipped.folder(name) == shipped.FOLDER / "mnist"
    (tmp_path / "mnist/settings.json").write_text("{}")
    assert shipped.folder("mnist") == Path("mnist")


def test_what_is_no_model_is_answered_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "mnits"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "mnits: no trained model is there" in error
    assert "mnist" in error


def test_a_model_by_name_is_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "two-rectangles", "--images", "100"]) == 0
    assert "all_found" in capsys.readouterr().out
