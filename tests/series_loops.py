"""Metrics of series as their definitions read: plain loops over points, events and thresholds, in whole numbers.

Each takes lists of truth values, and of decisions or scores, of one series; None stands for what is undefined.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise


def runs(mask):
    """The first and the last point of each run."""
    found = []
    for i, marked in enumerate(mask):
        if marked and (i == 0 or not mask[i - 1]):
            found.append([i, i])
        elif marked:
            found[-1][1] = i
    return [tuple(run) for run in found]


def points(run):
    return range(run[0], run[1] + 1)


def quotient(above, below):
    return Fraction(above) / below if below else None


def f1_of(precision, recall):
    """None where both are undefined, 0 where one is, or both are 0."""
    if precision is None and recall is None:
        return None
    if precision is None or recall is None or precision + recall == 0:
        return Fraction(0)
    return 2 * precision * recall / (precision + recall)


def event_f1s(precision, recall):
    return precision, recall, f1_of(precision, recall)


def adjusted(truth, alarms, share):
    """PA%K: all points of an event where more than the share of them is alarmed."""
    filled = list(alarms)
    for run in runs(truth):
        if Fraction(sum(alarms[i] for i in points(run)), len(points(run))) > share:
            for i in points(run):
                filled[i] = True
    return filled


def point_adjusted_f1(truth, alarms, share=0):
    filled = adjusted(truth, alarms, share)
    hits = sum(t and d for t, d in zip(truth, filled, strict=True))
    return event_f1s(quotient(hits, sum(filled)), quotient(hits, sum(truth)))


def point_adjusted_f1_area(truth, alarms):
    """F1 between any two shares at which it may change, times how far these are apart."""
    shares = {Fraction(0), Fraction(1)}
    shares |= {Fraction(sum(alarms[i] for i in points(run)), len(points(run))) for run in runs(truth)}
    if not any(truth) and not any(alarms):
        return None
    steps = pairwise(sorted(shares))
    return sum(((b - a) * point_adjusted_f1(truth, alarms, (a + b) / 2)[2] for a, b in steps), Fraction(0))


def composite_f1(truth, alarms):
    hits = sum(t and d for t, d in zip(truth, alarms, strict=True))
    events = runs(truth)
    found = sum(any(alarms[i] for i in points(run)) for run in events)
    return event_f1s(quotient(hits, sum(alarms)), quotient(found, len(events)))


def event_f1(truth, alarms, corrected=True):
    events = runs(truth)
    found = sum(any(alarms[i] for i in points(run)) for run in events)
    wrong = sum(not any(truth[i] for i in points(run)) for run in runs(alarms))
    precision, normal = quotient(found, found + wrong), truth.count(False)
    if precision is not None and corrected and normal:
        false = sum(d and not t for t, d in zip(truth, alarms, strict=True))
        precision *= 1 - Fraction(false, normal)
    return event_f1s(precision, quotient(found, len(events)))


def detection_delay(truth, alarms):
    delays = [next((k for k, i in enumerate(points(run)) if alarms[i]), None) for run in runs(truth)]
    found = [delay for delay in delays if delay is not None]
    return quotient(sum(found), len(found)), max(found, default=None), quotient(len(found), len(delays)) or Fraction(0)


WEIGHTS = {
    "flat": lambda i, n: 1,
    "front": lambda i, n: n - i + 1,
    "back": lambda i, n: i,
    "middle": lambda i, n: i if 2 * i <= n else n - i + 1,
}


def range_based_f1(truth, alarms, alpha=0, bias="flat", precision_bias="flat", cardinality="reciprocal"):
    def coverage(run, mask, others, bias):
        weights = {i: WEIGHTS[bias](k, len(points(run))) for k, i in enumerate(points(run), 1)}
        meeting = sum(other[0] <= run[1] and run[0] <= other[1] for other in others)
        factor = Fraction(1, meeting) if cardinality == "reciprocal" and meeting > 1 else 1
        return meeting, factor * Fraction(sum(w for i, w in weights.items() if mask[i]), sum(weights.values()))

    events, alarmed, recalls = runs(truth), runs(alarms), []
    for run in events:
        meeting, covered = coverage(run, alarms, alarmed, bias)
        recalls.append(Fraction(alpha) * (meeting > 0) + (1 - Fraction(alpha)) * covered)
    precisions = [coverage(run, truth, events, precision_bias)[1] for run in alarmed]
    return event_f1s(quotient(sum(precisions), len(alarmed)), quotient(sum(recalls), len(events)))


def affiliation_f1(truth, alarms):
    """Integrals by the middles of eighths of a time step, on which both integrands are linear."""
    events, length = runs(truth), len(truth)
    if not events:
        return None, None, None
    borders = [0, *(Fraction(a[1] + 1 + b[0], 2) for a, b in pairwise(events)), length]
    precisions, recalls = [], []
    for (first, last), low, high in zip(events, borders, borders[1:], strict=False):
        start, end, width = first, last + 1, high - low

        def middles(a, b):
            return [a + Fraction(2 * k + 1, 16) for k in range(round((b - a) * 8))]

        cut = [(max(a, low), min(b + 1, high)) for a, b in runs(alarms) if a < high and b + 1 > low]
        survivals = []
        for x in (x for part in cut for x in middles(*part)):
            away = max(start - x, x - end, 0)
            nearest = min(away, start - low, high - end)
            survivals.append(1 - (end - start + nearest + away) / width if away else Fraction(1))
        if survivals:
            precisions.append(sum(survivals) / len(survivals))
        found = Fraction(0)
        for y in middles(start, end) if cut else ():
            away = min(max(a - y, y - b, 0) for a, b in cut)
            found += 1 - (min(away, y - low) + min(away, high - y)) / width
        recalls.append(found / (8 * (end - start)))
    return event_f1s(quotient(sum(precisions), len(precisions)), quotient(sum(recalls), len(recalls)))


def best(metric, truth, score):
    """The highest value at any distinct score, and the highest score that has it."""
    values = {t: metric(truth, [s >= t for s in score]) or 0 for t in set(score)}
    top = max(values.values())
    return top, max(t for t, value in values.items() if value == top)


def ucr_score(truth, score, margin, own_length=True):
    tied = [i for i, s in enumerate(score) if s == max(score)]
    tolerances = [(a, b, max(margin, b - a + 1) if own_length else margin) for a, b in runs(truth)]
    return Fraction(sum(any(a - tol <= i <= b + tol for a, b, tol in tolerances) for i in tied), len(tied))


def range_auc(truth, score, window, found=True, number=None):
    """Threshold by threshold; a sum over all events for each buffer, and a zone for each chain of them."""
    length, events, half = len(truth), runs(truth), window // 2
    weights, zones = [], []
    for i in range(length):
        away = [max(a - i, i - b) for a, b in events]
        near = [math.sqrt(1 - d / window) for d in away if 0 < d <= half]
        weights.append(1.0 if truth[i] else min(sum(near), 1.0))
    for a, b in events:
        zone = {i for i in range(length) if a - half <= i <= b + half}
        if zones and zones[-1] & zone:
            zones[-1] |= zone
        else:
            zones.append(zone)
    ranked = sorted(score, reverse=True)
    if number is not None:
        ranked = [ranked[k * (length - 1) // max(number - 1, 1)] for k in range(number)]
    curve, precision, before = [(0.0, 0.0)], 0.0, 0.0
    for t in sorted(set(ranked), reverse=True):
        alarms = [i for i in range(length) if score[i] >= t]
        hits = math.fsum(weights[i] for i in alarms)
        buffers = math.fsum(weights[i] for i in (alarms if found else range(length)) if not truth[i])
        positives = sum(truth) + buffers / 2
        tpr = (
            min(hits / positives, 1.0) * sum(any(i in zone for i in alarms) for zone in zones) / len(zones)
            if zones
            else 0
        )
        curve.append(((len(alarms) - hits) / (length - positives) if not all(truth) else math.nan, tpr))
        precision += (tpr - before) * hits / len(alarms)
        before = tpr
    curve.append((1.0, 1.0))
    area = math.fsum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(curve))
    return area if events else math.nan, precision


def vus(truth, score, window, found=True, number=None):
    each = [range_auc(truth, score, w, found, number) for w in range(window + 1)]
    return tuple(math.fsum(areas) / len(each) for areas in zip(*each, strict=True))
