"""The exact state of a ranking in parts of falling sizes: a batch costs what itself costs, not what was seen before."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple, NoReturn

from anomaly_kernels._core.typing import Array
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores


class ScoreRuns(NamedTuple):
    """Parts of a `UniqueScores`, each less than half as long as the one before: an array a part, in lists.

    A part is merged with the next as soon as that is half as long. So all together have less than twice as many entries
    as there are distinct scores, and an entry is merged about as often as the number of scores can be halved.
    """

    score: list[Array]
    positive: list[Array]
    negative: list[Array]

    @classmethod
    def empty(cls, like: Array) -> ScoreRuns:
        """The state of nothing, for scores of the dtype, in the library and on the device of an array."""
        return _of_parts([UniqueScores.empty(like)])

    def of(self, target: Array, score: Array, sample_weight: Array | None = None) -> ScoreRuns:
        """The state of one batch; the arrays are those of `average_precision`."""
        return _of_parts([UniqueScores.of(target, score, sample_weight)])

    def merge(self, other: ScoreRuns) -> ScoreRuns:
        """The state of both parts."""
        shortened: list[UniqueScores] = []
        for part in sorted(self.parts() + other.parts(), key=_length, reverse=True):
            joined = part
            while shortened and _length(shortened[-1]) <= 2 * _length(joined):
                joined = shortened.pop().merge(joined)
            if _length(joined) or not shortened:
                shortened.append(joined)
        return _of_parts(shortened)

    def reduce(self, *_: Any) -> NoReturn:
        """Refuse to be added up over parts, entry by entry, as `UniqueScores` does."""
        self.merged().reduce()

    def compute(self, metric: Callable[..., Any], **settings: Any) -> Any:
        """Any metric of a ranking, of all scores."""
        return self.merged().compute(metric, **settings)

    def parts(self) -> list[UniqueScores]:
        """The parts, the longest first."""
        return [UniqueScores(*arrays) for arrays in zip(*self, strict=True)]

    def merged(self) -> UniqueScores:
        """The state of all parts in one."""
        return reduce(lambda a, b: a.merge(b), reversed(self.parts()))


def _of_parts(parts: list[UniqueScores]) -> ScoreRuns:
    return ScoreRuns(*(list(arrays) for arrays in zip(*parts, strict=True)))


def _length(part: UniqueScores) -> int:
    return int(part.score.shape[0])


def without_runs(state: Any) -> Any:
    """A state whose scores, if they are in parts, are merged to a `UniqueScores`."""
    return _replace_runs(state, lambda runs: runs.merged())


def one_run(state: Any) -> Any:
    """A state whose scores, if they are in parts, are in a single one."""
    return _replace_runs(state, lambda runs: _of_parts([runs.merged()]))


def _replace_runs(state: Any, change: Callable[[ScoreRuns], Any]) -> Any:
    if isinstance(state, ScoreRuns):
        return change(state)
    if not isinstance(state, tuple):
        return state
    parts = [_replace_runs(x, change) for x in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
