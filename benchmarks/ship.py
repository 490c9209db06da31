"""The trained models that come with limner: `python benchmarks/ship.py NAME...` trains, measures and describes them.

A model is trained into the cache of `limner reproduce`, or found there (`--runs`). Into `src/limner/weights/NAME/` go
its settings, its weights in half precision, the scores that these reach (scores.json), the painting process of
some held-out images, and a card; `--cards` only writes the cards anew from the scores.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file

from limner.data.loading import load as load_data
from limner.experiments import runs, shipped
from limner.experiments.settings import Experiment
from limner.experiments.thesis import EXPERIMENTS, cifar, mnist, two_rectangles
from limner.figures import cache
from limner.figures.claims.beyond import CHARACTERS, FACES
from limner.figures.results import SPLITS, WORDS
from limner.files import write_json
from limner.flags import flag
from limner.training.metrics import evaluate
from limner.training.process import painting_process, save_sheet

SCORED = "scores.json"
IMAGES, SHOWN, COLUMNS = 1000, 8, 11
UNSEEN = ("faces",)
"""Models whose data are pictures of people, which are not passed on."""
SCORES = ("all_found", "iou", "mse", "psnr", "ssim", "live")


class Shipped(NamedTuple):
    """What is trained, and what its card says: the data in words, its terms, and what to beware of."""

    experiment: Experiment
    data: str
    terms: str
    beware: str


MODELS = {
    "two-rectangles": Shipped(
        two_rectangles(),
        "10,000 synthetic images of 28 x 28 pixels with two black rectangles each; held out: 2,000 others.",
        "None: the images are drawn by limner.",
        "It knows two upright rectangles of 5 to 14 pixels, and nothing else. It is there for tests and first steps.",
    ),
    "mnist": Shipped(
        mnist(),
        "The first 55,000 training digits of MNIST (LeCun, Cortes, Burges), 28 x 28; held out: its 10,000 test digits.",
        "The files carry no licence; they are usually given as CC BY-SA 3.0.",
        "It expects one dark figure on white, in the middle, as MNIST centres its digits.",
    ),
    "omniglot": Shipped(
        CHARACTERS["warped"],
        "13,520 characters of Omniglot's background set (Lake, Salakhutdinov, Tenenbaum, 2015), 105 x 105; held out: "
        "3,840 characters of other alphabets.",
        "MIT licence.",
        "It expects thin dark lines on white paper.",
    ),
    "faces": Shipped(
        FACES["warped"],
        "1,214 faces cut from frames of the BioID Face Database 1.2 (BioID AG), 100 x 100; held out: 202 later "
        "frames; some of their people are in training frames too, in other light.",
        "Published for research on face detection. The people can be recognised in the frames: use this model for "
        "research only, and not to identify or to judge anybody.",
        "It has seen nobody but the 23 people of the set. It will paint faces that are unlike theirs less well; how "
        "much less, and whose, has not been measured.",
    ),
    "cifar": Shipped(
        cifar(),
        "45,000 training photographs of CIFAR-10 (Krizhevsky, Nair, Hinton, 2009) in gray, 32 x 32; held out: its "
        "10,000 test photographs.",
        "None stated; free for research, the authors ask for a citation.",
        "It paints the global pattern and no fine detail.",
    ),
}


def ship(name: str, folder: Path) -> None:
    """Put a trained model into the package."""
    experiment, home = MODELS[name].experiment, shipped.FOLDER / name
    for _, error in cache.train([experiment], folder):
        if error:
            raise error
    trained = runs.read(folder / cache.key(experiment))
    home.mkdir(parents=True, exist_ok=True)
    (home / runs.SETTINGS).write_text(runs.as_json(trained))
    weights = load_file(folder / cache.key(experiment) / runs.WEIGHTS)
    save_file({key: value.half() for key, value in weights.items()}, home / runs.WEIGHTS)
    (home / runs.WEIGHTS).chmod(0o644)
    model = runs.load(home)
    found = {split: evaluate(model, load_data(experiment.data, split).spread(IMAGES)) for split in SPLITS}
    write_json(home / SCORED, found)
    shown = load_data(experiment.data, "test").spread(SHOWN).ink()
    save_sheet(painting_process(model, shown, COLUMNS, target=name not in UNSEEN), home / "painting.png")
    (home / "README.md").write_text(card(name))


def card(name: str) -> str:
    """The card of a model, from its settings and the scores that were measured."""
    about = MODELS[name]
    model, training = about.experiment.model, about.experiment.training
    found = scores(name)
    rows = [
        (WORDS[each], *(f"{found[split][each]:.3g}" for split in SPLITS)) for each in SCORES if each in found["test"]
    ]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    last = "." if name in UNSEEN else ", and the image itself."
    tall, wide = runs.read(shipped.FOLDER / name).size
    uses = [f'limner.load("{name}")', f"limner evaluate {name}", f"limner paint PHOTO --model {name}"]
    return f"""# {name}

A {model.kind} Painter that paints an image of {tall} x {wide} pixels in {model.moves} {model.templates[0]}s; \
{kilobytes(name):.0f} kB in half precision.

![Paintings of held-out images](painting.png)

Each row is a held-out image: the canvas while it is painted, then the whole painting{last}

- **Use**: {", ".join(f"`{use}`" for use in uses)}.
- **Data**: {about.data}
- **Terms of the data**: {about.terms}
- **Beware**: {about.beware}
- **Trained by**: `{command(about.experiment)}`: {training.iterations:,} iterations of {training.batch} images, seed \
{training.seed}; `python benchmarks/ship.py {name}` makes this folder.

| at most {IMAGES:,} images | {" | ".join(SPLITS.values())} |
| --- | ---: | ---: |
{table}"""


def scores(name: str) -> dict[str, dict[str, float]]:
    """What a shipped model reaches on training and held-out images."""
    return json.loads((shipped.FOLDER / name / SCORED).read_text())


def kilobytes(name: str) -> float:
    """Of a shipped model's weights."""
    return (shipped.FOLDER / name / runs.WEIGHTS).stat().st_size / 1000


def command(experiment: Experiment) -> str:
    """The command that trains an experiment: the thesis' one of the same data, and what differs from it."""
    name, plain = next((name, made()) for name, made in EXPERIMENTS.items() if made().data == experiment.data)
    changed = [
        f" {flag(f'{part}.{key}')}" + ("" if value is True else f" {value}")
        for part, values in asdict(experiment).items()
        for key, value in values.items()
        if value != asdict(plain)[part][key]
    ]
    return f"limner train {name}{''.join(changed)} --out runs/{name}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(MODELS), metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--runs", type=Path, default=Path("runs/cache"), metavar="FOLDER")
    parser.add_argument("--cards", action="store_true", help="only write the cards anew")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for each in options.names:
        if options.cards:
            (shipped.FOLDER / each / "README.md").write_text(card(each))
        else:
            ship(each, options.runs)
