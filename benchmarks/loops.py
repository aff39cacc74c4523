"""Metrics of regions and of series as code for them is copied from one repository to the next.

A loop over thresholds, and in it one over regions, images or events. Those of regions run in NumPy and in torch, those
of series in NumPy alone. Events and runs are pairs of their first point and the one after their last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

STEPS = 1000
"""Thresholds of a grid."""
LIMIT = 0.3
FPR_BOUNDS = (1e-2, 1e-1)
"""Of AUPIMO: wide enough for few pixels."""
WINDOW, THRESHOLDS = 100, 250
"""Of VUS: those of published numbers."""


def _regions(xp: Any, target: Any) -> Iterator[tuple[int, Any]]:
    """The image and the mask of each region."""
    from scipy import ndimage

    for image, mask in enumerate(np.asarray(target)):
        numbers, count = ndimage.label(mask, np.ones((3, 3)))
        for k in range(1, count + 1):
            yield image, xp.asarray(numbers == k)


def _share(mask: Any) -> float:
    return float(mask.sum()) / len(mask)


def labels(xp: Any, target: Any) -> Any:
    """A flood fill from each pixel that has no number yet."""
    numbers, found = np.zeros(target.shape, np.int64), 0
    height, width = target.shape[1:]
    for image, *first in zip(*(axis.tolist() for axis in np.nonzero(target)), strict=True):
        if numbers[image, *first]:
            continue
        found += 1
        numbers[image, *first], left = found, [first]
        while left:
            y, x = left.pop()
            for i in range(max(y - 1, 0), min(y + 2, height)):
                for j in range(max(x - 1, 0), min(x + 2, width)):
                    if target[image, i, j] and not numbers[image, i, j]:
                        numbers[image, i, j] = found
                        left.append((i, j))
    return numbers.sum()


def aupro(xp: Any, target: Any, score: Any) -> Any:
    """Thresholds at equal steps, down to where the false positive rate exceeds its limit."""
    inside, normal = [score[image][mask] for image, mask in _regions(xp, target)], score[~target]
    rates, overlaps = [0.0], [0.0]
    for threshold in np.linspace(float(score.max()), float(score.min()), STEPS):
        rates.append(_share(normal >= threshold))
        overlaps.append(sum(_share(pixels >= threshold) for pixels in inside) / len(inside))
        if rates[-1] > LIMIT:
            break
    last = np.interp(LIMIT, rates, overlaps)
    return np.trapezoid([*overlaps[:-1], last], [*rates[:-1], LIMIT]) / LIMIT


def aupimo(xp: Any, target: Any, score: Any) -> Any:
    """The thresholds of rates at equal steps of their logarithm; a curve for each image."""
    anomalous = target.reshape((len(target), -1)).any(1)
    normal = np.sort(np.asarray(score[~anomalous]), axis=None)[::-1]
    rates, areas = np.geomspace(*FPR_BOUNDS, STEPS), []
    thresholds = normal[(rates * len(normal)).astype(int)].tolist()
    for pixels in (x[mask] for x, mask in zip(score, target, strict=True) if mask.any()):
        found = [_share(pixels >= threshold) for threshold in thresholds]
        areas.append(np.trapezoid(found, np.log(rates)) / math.log(rates[-1] / rates[0]))
    return sum(areas) / len(areas)


def overlap(xp: Any, target: Any, decision: Any) -> Any:
    """The share of each region."""
    shares = [_share(decision[image][mask]) for image, mask in _regions(xp, target)]
    return sum(shares) / len(shares)


def detection(xp: Any, target: Any, decision: Any) -> Any:
    """Each region among the decisions, and each region of decisions among the truth; the sum of all results."""
    found = [bool(decision[image][mask].any()) for image, mask in _regions(xp, target)]
    right = [bool(target[image][mask].any()) for image, mask in _regions(xp, decision)]
    false, missed = right.count(False), found.count(False)
    f1_score = 2 * sum(found) / (2 * sum(found) + false + missed)
    return len(found) + sum(found) + len(right) + false + f1_score


def _runs(mask: Any) -> Any:
    """Where runs begin, and where they have ended."""
    steps = np.diff(mask.astype(np.int8), prepend=0, append=0)
    return np.stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)], 1)


def best_adjusted_f1(xp: Any, target: Any, score: Any) -> Any:
    """Each threshold; in it each event, all of whose points count as found if one is."""
    best, events = 0.0, _runs(target)
    for threshold in np.unique(score):
        alarms = score >= threshold
        for start, end in events:
            if alarms[start:end].any():
                alarms[start:end] = True
        best = max(best, 2 * (alarms & target).sum() / (alarms.sum() + target.sum()))
    return best


def best_event_f1(xp: Any, target: Any, score: Any) -> Any:
    """Each threshold; in it each event and each run of alarms."""
    best, events, normal = 0.0, _runs(target), (~target).sum()
    anomalous = np.append(0, np.cumsum(target))
    for threshold in np.unique(score):
        alarms = score >= threshold
        found = sum(alarms[start:end].any() for start, end in events)
        starts, ends = _runs(alarms).T
        false = (anomalous[starts] == anomalous[ends]).sum()
        precision = found / max(found + false, 1) * (1 - (alarms & ~target).sum() / normal)
        recall = found / len(events)
        best = max(best, 2 * precision * recall / max(precision + recall, 1e-9))
    return best


def affiliation_f1(xp: Any, target: Any, decision: Any) -> Any:
    """Each event, in its zone; distances of each eighth of a time step, on which they are linear."""
    events, alarms = _runs(target), _runs(decision)
    borders = [0.0, *((a[1] + b[0]) / 2 for a, b in pairwise(events)), float(len(target))]
    precisions, recalls = [], []
    for (start, end), low, high in zip(events, borders, borders[1:], strict=False):
        inside = [(max(a, low), min(b, high)) for a, b in alarms if a < high and b > low]
        if not inside:
            recalls.append(0.0)
            continue
        alarmed = np.concatenate([_middles(a, b) for a, b in inside])
        away = np.maximum(np.maximum(start - alarmed, alarmed - end), 0)
        further = 1 - (end - start + np.minimum(away, min(start - low, high - end)) + away) / (high - low)
        precisions.append(np.where(away > 0, further, 1).mean())
        y, (first, last) = _middles(start, end), np.asarray(inside).T
        away = np.maximum(np.maximum(first - y[:, None], y[:, None] - last), 0).min(1)
        recalls.append(1 - (np.minimum(away, y - low) + np.minimum(away, high - y)).mean() / (high - low))
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 2 * precision * recall / (precision + recall)


def _middles(start: float, end: float) -> Any:
    return start + (np.arange(round(8 * (end - start))) + 0.5) / 8


def range_auc(xp: Any, target: Any, score: Any) -> Any:
    """The sum of both areas with buffers of one window."""
    return _range_auc(target, score, WINDOW)


def vus(xp: Any, target: Any, score: Any) -> Any:
    """The same for each window up to this one."""
    return sum(_range_auc(target, score, window) for window in range(WINDOW + 1)) / (WINDOW + 1)


def _range_auc(target: Any, score: Any, window: int) -> float:
    length, events, half = len(score), _runs(target), window // 2
    weights, zones = target.astype(float), []
    for start, end in events:
        for away in range(1, half + 1):
            for place in (start - away, end - 1 + away):
                if 0 <= place < length:
                    weights[place] += math.sqrt(1 - away / window)
        if zones and start - half < zones[-1][1]:
            zones[-1][1] = end + half
        else:
            zones.append([max(start - half, 0), end + half])
    weights, ordered = np.minimum(weights, 1), np.sort(score)[::-1]
    curve, precision, before = [(0.0, 0.0)], 0.0, 0.0
    for k in range(THRESHOLDS):
        alarms = score >= ordered[k * (length - 1) // (THRESHOLDS - 1)]
        hits, count = weights[alarms].sum(), alarms.sum()
        positives = target.sum() + weights[alarms & ~target].sum() / 2
        found = sum(alarms[start:end].any() for start, end in zones) / len(zones)
        recall = min(hits / positives, 1) * found
        curve.append(((count - hits) / (length - positives), recall))
        precision += (recall - before) * hits / count
        before = recall
    rates, recalls = zip(*curve, (1.0, 1.0), strict=True)
    return float(np.trapezoid(recalls, rates) + precision)
