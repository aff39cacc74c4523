"""How a metric of a ranking is evaluated: inputs checked and prepared, ranked, and the results finished."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from anomaly_kernels._core.checks import SHARE, cast, is_real, not_empty, number
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array, DType, Namespace, Setting
from anomaly_kernels.metrics._results import nan_where
from anomaly_kernels.metrics.ranking._inputs import Axes, Prepared, check_inputs, from_signed, prepare
from anomaly_kernels.metrics.ranking._sorted import rank
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores

Results: TypeAlias = tuple[Array, ...]
Metric: TypeAlias = Callable[..., Results]  # of a `Ranking` and of settings


def evaluate(
    metric: Metric, target: Array, score: Array, sample_weight: Array | None, axis: Axes, /, **shares: Setting
) -> Results:
    """Evaluate a metric along `axis`; `shares` are settings in (0, 1]."""
    xp, dtype, arrays = check_inputs(target, score, sample_weight)
    if 0 in target.shape:
        not_empty(target=target)
    settings = [number(name, value, xp, xp.wide(score), SHARE) for name, value in shares.items()] if shares else []
    if axis is None:
        whole = partial(_evaluate_state, metric, dtype, tuple(shares))
        results = xp.fold(UniqueScores.of, UniqueScores.merge, whole, arrays, settings)
        if results is not None:
            return results
    prepared = prepare(xp, dtype, arrays, axis)
    shape = prepared.arrays[0].shape
    in_rows = len(shape) > 1 and 0 not in shape and xp.is_lean(*prepared.arrays)
    return to_results(prepared, (_evaluate_rows if in_rows else _evaluate)(metric, xp, prepared.arrays, settings))


def _evaluate_state(
    metric: Metric, dtype: DType, names: Sequence[str], state: UniqueScores, *settings: Setting
) -> Results:
    """Evaluate a metric on the state that the states of all chunks were merged to."""
    results = evaluate(metric, *state.samples(), None, **dict(zip(names, settings, strict=True)))
    return tuple(cast(array_namespace(x), dtype, x) if is_real(x) else x for x in results)


def _evaluate_rows(metric: Metric, xp: Namespace, arrays: Sequence[Array], settings: Sequence[Setting]) -> Results:
    """Evaluate row by row: boolean masks find another number of positives in each."""
    shape = arrays[0].shape
    tables = [xp.reshape(x, (-1, shape[-1])) for x in arrays]
    rows = ([x[k, ...] for x in tables] for k in range(tables[0].shape[0]))
    results = [_evaluate(metric, xp, row, settings) for row in rows]
    return tuple(xp.reshape(xp.stack(each), shape[:-1]) for each in zip(*results, strict=True))


def _evaluate(metric: Metric, xp: Namespace, arrays: Sequence[Array], settings: Sequence[Setting]) -> Results:
    """Evaluate on prepared arrays; NaN where the sum of integer weights overflows."""
    ranking = rank(xp, *arrays)
    results = metric(ranking, *settings)
    if len(arrays) == 2 or is_real(arrays[2]):
        return results
    overflow = xp.isnan((ranking.positives + ranking.negatives)[..., 0])
    return tuple(nan_where(xp, overflow, x) if is_real(x) else x for x in results)


def to_results(prepared: Prepared, results: Results) -> Results:
    """Results in their dtype, NaN where an input was; thresholds among integers in the dtype of the scores."""
    xp, dtype, nan = prepared.xp, prepared.dtype, prepared.nan
    finished = []
    for x in results:  # no comprehension, and no names of dtypes: a small call would notice
        if x.dtype not in (xp.float32, xp.float64) and not is_real(x):
            finished.append(from_signed(xp, x, prepared.score_dtype))
            continue
        result = x if nan is None else xp.where(nan, math.nan, x)
        finished.append(result if result.dtype == dtype else xp.astype(result, dtype))
    return tuple(finished)
