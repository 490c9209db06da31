"""`limner paint`: reads everything and tries every output before the first stroke, then paints, and saves."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

import limner
from limner import workers
from limner.errors import UserError
from limner.files import in_words, place
from limner.flags import in_flags
from limner.painting import outputs
from limner.painting.checking import check_all
from limner.painting.films.clip import Clip
from limner.painting.jobs import Job, plan
from limner.painting.options import PaintOptions
from limner.painting.painting import Painting
from limner.painting.pictures import read_picture
from limner.painting.reading import settings
from limner.painting.saving import amount, save
from limner.printing import on_terminal, say, shown, warnings_in_lines
from limner.signals import ENDING, Interrupts, handled

FAILED, INTERRUPTED = 2, 130
"""Exit codes."""


def paint(options: PaintOptions) -> int:
    """Paint every picture that the options name; the exit code is 130 if that was interrupted, 2 if a file failed.

    Raises UserError, before any painting, for everything that can be known to be wrong by then.
    """
    planned = plan(options)
    arguments = settings(options)
    jobs = check_all(planned, arguments, options)
    frames = [job.frames for job in jobs if job.frames]
    files = [path for job in jobs for path in job.files]
    made = outputs.make_room(files, frames)
    try:
        worst = paint_all(jobs, arguments, options)
    finally:
        outputs.clear(made)
    return max(worst, FAILED if len(jobs) < len(planned) else 0)


def paint_all(jobs: list[Job], arguments: dict[str, Any], options: PaintOptions) -> int:
    """Paint every picture, several at once or one after the other; returns the exit code."""
    if (at_once := min(options.jobs, len(jobs))) > 1:
        threads = options.threads or max(1, torch.get_num_threads() // at_once)
        alone = partial(by_itself, arguments=arguments, options=replace(options, threads=threads))
        return max(code for _, code in workers.each(alone, jobs, at_once, "painted"))
    if options.threads:
        torch.set_num_threads(options.threads)
    worst = 0
    interrupts = Interrupts()
    with handled(interrupts.note, *ENDING):
        for number, job in enumerate(jobs, 1):
            code = carry_out(job, title(job, number, len(jobs), options), arguments, options, interrupts)
            if code == INTERRUPTED:
                return code
            worst = max(worst, code)
    return worst


def by_itself(job: Job, arguments: dict[str, Any], options: PaintOptions) -> int:
    """Paint one picture in a process of its own."""
    assert options.threads
    torch.set_num_threads(options.threads)
    interrupts = Interrupts()
    with handled(interrupts.note, *ENDING), warnings_in_lines(options.quiet):
        return carry_out(job, False, arguments, options, interrupts)


def carry_out(
    job: Job, called: bool | str, arguments: dict[str, Any], options: PaintOptions, interrupts: Interrupts
) -> int:
    """Paint one picture and save it; returns the exit code.  called: what its progress bar is, False for none."""
    try:
        painted = paint_one(job, called, arguments)
    except (UserError, OSError) as fault:  # of a file that could be read before, say
        say(f"limner: {in_words(fault)}", sys.stderr)
        return FAILED
    spared = not_halved(job, options) if interrupts.came else []
    kept = [path for path in job.files if path not in spared]
    faults, interrupted = save(painted, kept, job.frames, options, interrupts)
    for fault in faults:
        if not isinstance(fault, UserError | OSError):
            raise fault
        say(f"limner: {in_words(fault)}", sys.stderr)
    if interrupted:
        what = [f"saved {amount(painted)}"] if kept else []
        what += [f"{path} is left as it was" for path in spared]
        say(f"limner: interrupted: {', '.join(what)}", sys.stderr)
        return INTERRUPTED
    return FAILED if faults else 0


def paint_one(job: Job, called: bool | str, arguments: dict[str, Any]) -> Painting | Clip:
    """A picture or a clip painted; what was painted before, as it is."""
    if isinstance(job.content, Painting):
        return job.content
    with in_flags(arguments):
        if job.clip:
            return limner.paint_clip(job.file, **arguments, progress=called)
        return limner.paint(job.content or read_picture(job.file), **arguments, progress=called)


def not_halved(job: Job, options: PaintOptions) -> list[Path]:
    """The outputs not to be half done: the file whose strokes are replaced, which would have fewer than before.

    By `update` they are all, since what is there counts as done.
    """
    if options.update:
        return job.files
    before = options.resume if options.repaint else None
    return [path for path in job.files if before and place(path) == place(before)]


def title(job: Job, number: int, count: int, options: PaintOptions) -> bool | str:
    """What to call the progress bar; False for none."""
    looked_at = not options.quiet and on_terminal(sys.stderr)
    several = f"{shown(os.path.basename(job.label))} ({number} of {count})" if count > 1 else True
    return looked_at and several
