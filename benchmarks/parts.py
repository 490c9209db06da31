"""What each part of the fitting adds: `limner bench parts --pictures FOLDER`, a quarter of an hour for four pictures.

The fit is run as it is, and with one part left out or changed at a time, in one process and on one thread. PSNR is of
the canvas at 256 px on the longer side, the mean over the pictures and three seeds, since one painting of a picture
differs from the next by some tenths of a dB; seconds are CPU-seconds of the fit alone.
"""

import time
from functools import partial
from pathlib import Path
from unittest import mock

import torch
from paint import SIDE, choose, machine

import limner
from limner.files import write_json
from limner.painting.fit import rounds
from limner.painting.fit.fitting import fit
from limner.painting.fit.moves import RATES
from limner.painting.fit.propose import propose
from limner.painting.fit.rounds import Plan
from limner.painting.pictures import read_picture, resized

SEEDS = 3
STEPS = Plan.adding * Plan.steps + (Plan.dropping + Plan.moving) * Plan.moving_steps


def unchosen(moves, goal, wanted, tries, radii, generator):
    """Proposals without a choice: the first stamps drawn are taken."""
    propose(moves, goal, wanted, max(wanted, 1), radii, generator)


def at_once() -> Plan:
    """The same number of steps, with all strokes added in one round."""
    return Plan(adding=1, extra=1.0, steps=STEPS, dropping=0, moving=0)


PARTS = {
    "as it is": {},
    "strokes not chosen from 2,000 tries": {"proposing": unchosen},
    "all strokes added at once": {"plan": at_once()},
    "no strokes too many at first": {"plan": Plan(extra=1.0, dropping=0, moving=Plan.dropping + Plan.moving)},
    "wasted strokes neither dropped nor moved": {
        "plan": Plan(extra=1.0, steps=STEPS // Plan.adding, dropping=0, moving=0)
    },
    "no refinement between rounds": {"plan": Plan(steps=1, moving_steps=1, settling=STEPS + Plan.settling)},
    "no settling at a falling rate": {"plan": Plan(settling=2)},
    "colours as proposed, not refined": {"rates": {"what": 0.0}},
    "not slanted": {"style": {"keep_angles": True}},
    "opaque": {"style": {"opacity": "opaque"}},
    "linear-gradient fill": {"style": {"fill": "gradient"}},
    "circles with a soft rim": {"style": {"templates": "soft"}},
    "circles with a soft rim, linear-gradient fill": {"style": {"templates": "soft", "fill": "gradient"}},
    "squares": {"style": {"templates": "square"}},
    "squares, not slanted": {"style": {"templates": "square", "keep_angles": True}},
    "circles and squares": {"style": {"templates": ("circle", "square")}},
}


def main(json: Path | None, pictures: Path | None, strokes: tuple[int, ...]) -> None:
    """Print the table, and write it as JSON."""
    torch.set_num_threads(1)
    chosen = choose(pictures)
    rows = []
    limner.paint(chosen[0], 2, size=32)
    for count in strokes:
        for part, change in PARTS.items():
            found = [measure(picture, count, seed, **change) for picture in chosen for seed in range(SEEDS)]
            psnr, seconds = (sum(column) / len(found) for column in zip(*found, strict=True))
            rows.append({"strokes": count, "part": part, "psnr": round(psnr, 2), "seconds": round(seconds, 2)})
            print(f"N={count:<5} {part:<38} {psnr:6.2f} dB  {seconds:5.1f} CPU-s", flush=True)
    if json:
        names = [picture.stem for picture in chosen]
        result = {"machine": machine(1), "side": SIDE, "seeds": SEEDS, "pictures": names, "rows": rows}
        write_json(json, result)


def measure(
    picture: Path, count: int, seed: int, proposing=propose, plan=None, rates=None, style=None
) -> tuple[float, float]:
    """PSNR of a painting and CPU-seconds of fitting it, with something changed."""
    small = resized(read_picture(picture), SIDE)

    with (
        mock.patch("limner.painting.paint.fit", partial(fit, plan=plan or Plan())),
        mock.patch.dict(RATES, rates or {}),
        mock.patch.object(rounds, "propose", proposing),
    ):
        start = time.process_time()
        painting = limner.paint(small, count, seed=seed, **(style or {}))
        return painting.psnr, time.process_time() - start
