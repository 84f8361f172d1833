"""Work that is done a little at each call, so that it fits between other things."""

from collections.abc import Generator, Iterator, Sequence
from typing import Generic, TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")
Stepwise = Generator[None, None, Result]

FEW = 8  # of whatever takes some 50 µs each: half a millisecond a step


class Steps(Generic[Result]):
    """A generator's work. Once done it stays so."""

    def __init__(self, work: Stepwise[Result]) -> None:
        self._work = work
        self._results: list[Result] = []

    def __call__(self) -> bool:
        """Go on a little; whether there is more to do. Raises what the work raises."""
        if not self._results:
            try:
                next(self._work)
            except StopIteration as end:
                self._results.append(end.value)
        return not self._results

    def whole(self) -> Result:
        """Go on to the end; what the work came to."""
        while self():
            pass
        return self._results[0]


def few(items: Sequence[Item], number: int = FEW) -> Iterator[Sequence[Item]]:
    """All of them, a few at a time."""
    return (items[place : place + number] for place in range(0, len(items), number))
