"""How far a painting is, and a bar on standard error that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from limner.painting.scoring import decibels
from limner.waiting import Bar, told

if TYPE_CHECKING:
    from limner.painting.painting import Painting

LAYOUT = "{desc} {percentage:3.0f}%|{bar:30}| {unit} [{elapsed}<{remaining}]"


@dataclass(frozen=True)
class Progress:
    """done: share of the work.  error: weighted mean squared error at the size worked at.  strokes: so far.

    painting: makes the painting as it is; None for a clip.
    """

    done: float
    error: float
    strokes: int
    painting: Callable[[], Painting] | None = field(default=None, compare=False, repr=False)

    @property
    def psnr(self) -> float:
        """Of the error, in dB."""
        return decibels(self.error)


Watch: TypeAlias = Callable[[Progress], None]


@contextmanager
def bar(shown: bool | str | Watch) -> Iterator[Watch]:
    """A bar with the PSNR so far and the time left, and what `fit` is to call to move it.

    shown: whether to show it; or what to call it; or a function that `fit` is to call instead.
    It appears at the first move, or when kernels are compiled, whose time it leaves out. It cannot fail: where standard
    error takes nothing, there is none.
    """
    if callable(shown):
        yield shown
        return
    if not shown or sys.stderr is None:
        yield lambda progress: None
        return
    title = shown if isinstance(shown, str) else "painting"
    line = Bar(total=1.0, desc=title, unit="", bar_format=LAYOUT, leave=False, delay=1e-9, miniters=0)

    def watch(progress: Progress) -> None:
        line.unit = f"{progress.strokes} strokes, {progress.psnr:.1f} dB"  # a postfix would begin with a comma
        if progress.done < line.n:
            line.set_description_str(f"{title} with fewer strokes", refresh=False)
            line.reset()
        line.update(min(progress.done, 1.0) - line.n)

    with line, told(line):
        yield watch
