"""docs/reproduction.md is what the committed results say, and the results are what their numbers say."""

import json
from pathlib import Path

import pytest
from PIL import Image

from limner.cli import main
from limner.figures import page, records, sheets
from limner.figures.cache import key
from limner.figures.engine import DRAWINGS
from limner.figures.layouts import Drawn
from limner.figures.measuring import rounded
from limner.figures.registry import FIGURES
from limner.figures.results import Results

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reproduction"
DONE = sorted(path.stem for path in RESULTS.glob("*.json"))


def test_the_page_is_made_from_the_results() -> None:
    assert page.text(RESULTS) == (ROOT / "docs/reproduction.md").read_text("utf-8")


def test_every_result_is_of_a_figure() -> None:
    assert set(DONE) <= set(FIGURES)
    assert {path.stem for path in RESULTS.glob("*.png")} == set(DONE)
    assert {"3.1", "3.2", "3.3", "3.4", "3.5"} <= set(DONE)


@pytest.mark.parametrize("name", DONE)
def test_a_committed_result(name: str) -> None:
    record, figure = records.read(RESULTS, name), FIGURES[name]
    assert record is not None
    assert (record["figure"], record["title"], record["quick"]) == (name, figure.title, False)
    judgement = figure.judge(Results(record["runs"]))
    assert (record["verdict"], record["why"]) == (judgement.verdict, judgement.why)
    wanted = [(variant, seed, run.training.iterations) for variant, seed, run in figure.runs()]
    if wanted:
        assert [(run["variant"], run["seed"], run["iterations"]) for run in record["runs"]] == wanted
        assert [run["run"] for run in record["runs"]] == [key(run) for _, _, run in figure.runs()]
    for end in ("json", "png"):
        assert (RESULTS / f"{name}.{end}").stat().st_size <= sheets.MOST
    with Image.open(RESULTS / f"{name}.png") as picture:
        picture.verify()


@pytest.mark.parametrize("name", [name for name in DONE if isinstance(FIGURES[name].layout, Drawn)])
def test_what_the_engine_draws_is_still_what_was_committed(name: str) -> None:
    layout, record = FIGURES[name].layout, records.read(RESULTS, name)
    assert isinstance(layout, Drawn)
    assert record is not None
    assert rounded(DRAWINGS[layout.what]()[1]) == pytest.approx(record["runs"][0]["test"], abs=1e-5)


def test_a_changed_number_would_be_noticed(tmp_path: Path) -> None:
    record = json.loads((RESULTS / "3.5.json").read_text("utf-8"))
    (tmp_path / "3.5.json").write_text(records.text(record), "utf-8")
    before = page.text(tmp_path)
    record["runs"][0]["test"]["additive_best"] = 0.0123
    (tmp_path / "3.5.json").write_text(records.text(record), "utf-8")
    after = page.text(tmp_path)
    assert before != after
    assert "0.0123" in after


def test_what_was_not_run_says_so(tmp_path: Path) -> None:
    text = page.text(tmp_path)
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    assert len(rows) == len(FIGURES)
    assert all("not run yet" in row for row in rows)
    assert "reproduction/" not in text.split("## Numbers and pictures")[1]
    assert all(f"](#{page.anchor(figure)})" in text for figure in FIGURES.values())


def test_a_record_is_shown_in_full(tmp_path: Path) -> None:
    figure = FIGURES["5.17"]
    runs = [
        {
            "variant": variant,
            "seed": seed,
            "iterations": experiment.training.iterations,
            "train": {"order": 0.6 + 0.1 * seed, "mse": 0.01},
            "test": {"order": 0.55, "mse": 0.02} if variant == "sorter" else {"mse": 0.0345},
        }
        for variant, seed, experiment in figure.runs()
    ]
    record = {"figure": "5.17", "quick": False, "verdict": "confirmed", "why": "it is so", "images": 9, "runs": runs}
    (tmp_path / "5.17.json").write_text(records.text(record), "utf-8")
    text = page.text(tmp_path)
    row = next(line for line in text.splitlines() if line.startswith("| [5.17]"))
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [
        figure.claim,
        figure.expected,
        "it is so",
        "3",
        "10,000",
        "**confirmed**",
        "[Order of n moves](#beyond-order-order-of-n-moves): not run yet",
    ]
    section = text.split(f"### 5.17 {figure.title}\n")[1].split("\n###")[0]
    assert [line for line in section.splitlines() if line.startswith("|")] == [
        "|  | order right, training set | order right, held out | MSE, training set | MSE, held out |",
        "| --- | --- | --- | --- | --- |",
        "| no sorter | 0.7 |  | 0.01 | 0.0345 |",
        "| sorter | 0.7 | 0.55 | 0.01 | 0.02 |",
    ]
    assert "](reproduction/5.17.png)" in section


def test_runs_that_were_trained_twice_are_told(tmp_path: Path) -> None:
    def write(name: str, **losses: float) -> None:
        runs = [
            {"variant": run, "seed": 0, "iterations": 1, "run": run, "train": {"last": loss}, "test": {}}
            for run, loss in losses.items()
        ]
        record = {"figure": name, "quick": False, "verdict": "confirmed", "why": "it is so", "images": 9, "runs": runs}
        (tmp_path / f"{name}.json").write_text(records.text(record), "utf-8")

    write("5.19", a=0.1, b=0.5, c=0.2)
    write("5.21", a=0.1)
    assert "trained twice" not in page.text(tmp_path)
    write("5.21", a=0.12, b=0.5)
    write("beyond-faces", a=0.11, d=0.3)
    (line,) = [line for line in page.text(tmp_path).splitlines() if "trained twice" in line]
    assert "1 of 4 runs were trained twice" in line
    assert "(5.19, 5.21, beyond-faces)" in line
    assert "differ by up to 20% (0.1 and 0.12)" in line


def test_anchors_are_those_of_headings() -> None:
    names = {figure.name: page.anchor(figure) for figure in FIGURES.values()}
    assert names["4.6"] == "46-t-draws-first-2000-iterations-on-mnist"
    assert names["5.21-moves"] == "521-moves-number-of-moves-on-faces-text-of-57"
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("text", ["{", "[]", '{"figure": "5.2"}', '{"verdict": "confirmed", "runs": []}'])
def test_a_record_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "5.2.json").write_text(text)
    with pytest.raises(ValueError, match=r"5\.2\.json: cannot be read"):
        records.read(tmp_path, "5.2")


def test_pictures_are_found_from_where_the_page_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    line = ["reproduce", "3.1", "--out", "results", "--page", "pages/page.md", "-q"]
    assert main(line) == 0
    text = (tmp_path / "pages/page.md").read_text("utf-8")
    assert "](../results/3.1.png)" in text
    assert (tmp_path / "pages" / "../results/3.1.png").exists()


def test_a_list_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "5.5", "3.1", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["5.5", "3.1"]
    assert not list(tmp_path.iterdir())


def test_no_cell_of_a_table_ends_it() -> None:
    assert page._table([("a|b", "c")]).splitlines()[0] == "| a/b | c |"
