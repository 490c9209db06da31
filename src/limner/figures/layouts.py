"""How a figure is laid out, as the thesis does it; light to import. `drawing` and `plots` draw them."""

from dataclasses import dataclass

COLUMNS = 20
"""Moves of a painting process that are shown, of more."""


@dataclass(frozen=True)
class Process:
    """Painting processes: a row for each held-out image, a column for each move, the target last; a panel a variant.

    columns: moves that are shown of more.  across: panels in a row.  samples: images drawn from the prior below.
    unsorted: variants whose moves are also shown in the order that their network gives them, before they are sorted.
    """

    variants: tuple[str, ...]
    rows: int = 10
    columns: int = COLUMNS
    across: int = 3
    samples: bool = False
    unsorted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Painting processes of held-out images after more and more training: a row for each variant, a panel an image."""

    variants: tuple[str, ...]
    images: int
    across: int


@dataclass(frozen=True)
class Curves:
    """The loss in training, mean and standard deviation of every 100 iterations; a panel for each group of variants.

    panels: title and variants of each.  drop: the iteration after which the rate falls, marked; 0 is none.
    """

    panels: tuple[tuple[str, tuple[str, ...]], ...]
    shaded: bool = True
    drop: int = 0


@dataclass(frozen=True)
class Reconstructions:
    """`side` x `side` training images and as many held out: what was painted above what was to be painted."""

    variant: str
    side: int = 8


@dataclass(frozen=True)
class Masks:
    """Templates that are learnt, a row for each start and a column for each stage: the variants are "row, column"."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def variants(self) -> tuple[str, ...]:
        """All that are shown."""
        return tuple(f"{row}, {column}" for row in self.rows for column in self.columns)


@dataclass(frozen=True)
class Dots:
    """A score of every variant, a dot for each seed, on training and on held-out images."""

    scores: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """A picture that the engine draws without training; `what` names a function of `engine`."""

    what: str


Layout = Process | Progress | Curves | Reconstructions | Masks | Dots | Drawn
