"""A progress bar on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from limner.painting.fit import Progress

LAYOUT = "{desc} {percentage:3.0f}%|{bar:30}| {postfix} [{elapsed}<{remaining}]"


@contextmanager
def bar(shown: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar with the PSNR so far and the time left, and what `fit` is to call to move it."""
    with tqdm(total=1.0, desc="painting", bar_format=LAYOUT, disable=not shown, leave=False) as line:

        def watch(progress: Progress) -> None:
            line.set_postfix_str(f"{progress.strokes} strokes, {progress.psnr:.1f} dB", refresh=False)
            line.update(min(progress.done, 1.0) - line.n)

        yield watch
