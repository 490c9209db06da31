"""How far a fit is: by the steps it takes, or by the clock."""

import time
from collections.abc import Iterator


class Clock:
    """Seconds to paint for; those that kernels take to be compiled do not count."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.started = seconds, time.monotonic()

    def wait(self, seconds: float) -> None:
        """Leave out so many."""
        self.started += seconds

    def done(self) -> float:
        """Share of the time that is over, up to 1."""
        return min((time.monotonic() - self.started) / self.seconds, 1.0)


class Pace:
    """How far the work is: by steps taken of those planned, or by the clock."""

    def __init__(self, steps: int, clock: Clock | None) -> None:
        self.steps, self.clock, self.taken = steps, clock, 0

    def done(self) -> float:
        return self.clock.done() if self.clock else min(self.taken / self.steps, 1.0)

    def until(self, steps: int, least: int = 0) -> Iterator[float]:
        """Take steps until so many of the planned ones, or their share of the time, are over; yields the share done.

        least: steps to take also where that share is over, but not all the time.
        """
        first = self.taken
        while (done := self.done()) < (1 if self.taken < first + least else steps / self.steps):
            yield done
            self.taken += 1
