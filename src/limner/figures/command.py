"""The command `limner reproduce`. Torch is imported only when something is trained or drawn."""

import os
import sys
from contextlib import closing
from pathlib import Path

from limner.errors import UserError
from limner.figures import cache, page, records, reuse
from limner.figures.figure import FULL, Figure, Scale
from limner.figures.options import ReproduceOptions
from limner.figures.registry import FIGURES, find
from limner.files import place, try_writing, write
from limner.printing import answer, on_terminal, say


def reproduce(options: ReproduceOptions) -> int:
    """Train, measure, judge and draw; the exit code: 0, 2 where a figure failed, or 130 where it was asked to stop."""
    figures = find(options.figures)
    if options.page:
        _spare(options.page, options.folder())
        try_writing(options.page)
    failed = 0
    if options.list:
        listing(figures or list(FIGURES.values()), options)
    elif figures:
        failed = _make(figures, options)
    if options.page:
        pictures = os.path.relpath(options.folder().resolve(), options.page.resolve().parent)
        write(options.page, page.text(options.folder(), Path(pictures).as_posix()))
    return failed


def _spare(page: Path, folder: Path) -> None:
    """UserError for a page that would replace what figures are published as."""
    at = Path(place(page))
    if at.parent == Path(place(folder)) and at.stem in FIGURES and at.suffix in (".json", ".png"):
        raise UserError(f"{page}: is where figure {at.stem} is published: choose another name")


def listing(figures: list[Figure], options: ReproduceOptions) -> None:
    """Print each figure in one line."""
    for figure in figures:
        record = records.read(options.folder(), figure.name)
        minutes = str(figure.minutes or "<1")
        command = f"limner reproduce {figure.name}"
        line = (
            f"{command:<36}{minutes:>4} min  {records.verdict(record):<27}  {figure.title}; expected: {figure.expected}"
        )
        answer(line)


def _make(figures: list[Figure], options: ReproduceOptions) -> int:
    """Train all that is missing, and publish each figure as soon as its runs are there."""
    scales = {figure.name: figure.quick_scale() if options.quick and figure.variants else FULL for figure in figures}
    for figure in figures:
        records.make_room(options.folder(), figure.name, scales[figure.name].quick)
    known = reuse.known(options.folder()) if options.reuse else {}
    needs = {
        figure.name: {
            cache.key(each): each
            for variant, seed, each in figure.runs(scales[figure.name])
            if not reuse.again(known, figure, scales[figure.name], variant, seed, each)
        }
        for figure in figures
    }
    every = {name: each for runs in needs.values() for name, each in runs.items()}
    outcomes: dict[str, UserError | None] = {}
    waiting, failed = list(figures), False

    def publish_ready() -> None:
        nonlocal failed
        for figure in [each for each in waiting if needs[each.name].keys() <= outcomes.keys()]:
            waiting.remove(figure)
            error = next((error for name in needs[figure.name] if (error := outcomes[name])), None)
            try:
                if error:
                    raise error
                _publish(figure, scales[figure.name], options, known)
            except UserError as error:
                failed = True
                say(f"limner: {figure.name}: {error}", sys.stderr)

    publish_ready()
    no_bar = options.quiet or not on_terminal(sys.stderr)
    with closing(cache.train(every.values(), options.runs, options.jobs, no_bar)) as attempts:
        for experiment, error in attempts:
            outcomes[cache.key(experiment)] = error
            if not options.quiet and waiting:
                there = sum(each is None for each in outcomes.values())
                say(f"{there} of {len(every)} runs are there", sys.stderr)
            publish_ready()
    return 2 if failed else 0


def _publish(figure: Figure, scale: Scale, options: ReproduceOptions, known: reuse.Known) -> None:
    from limner.figures.publish import publish

    record = publish(figure, scale, options.runs, options.folder(), known)
    if not options.quiet:
        say(f"{figure.name}  {records.verdict(record)}: {record['why']}", sys.stdout)
