"""The names that the numbers of a metric have in the logs of a model.

Keras puts the entries of a dict that a metric returns into its logs by their own names, where those of two metrics
would replace one another, and asks a metric for its result without saying for which model. So the frames of the call
tell.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
from keras.src.trainers.compile_utils import CompileMetrics  # private, as is what follows: no public name tells
from keras.src.utils.naming import to_snake_case  # which metrics a model has by output, or how Keras names one


def in_logs(metric: Any, result: dict[str, Any]) -> dict[str, Any]:
    """The result of a metric by the names for the logs, where a model asks for it; as it is where anyone else does."""
    owner = _asking_owner(metric)
    prefix = "" if owner is None else _prefixes(owner).get(id(metric), "")
    return {prefix + field: number for field, number in result.items()}


def _asking_owner(metric: Any) -> Any:
    """The model that collects its logs, or None where it is not Keras that asks."""
    frame: Any = inspect.currentframe()
    while frame is not None and (frame.f_globals is globals() or frame.f_locals.get("self") is metric):
        frame = frame.f_back
    owner, asks = (None, "") if frame is None else (frame.f_locals.get("self"), frame.f_code.co_name)
    if isinstance(owner, keras.Model) and asks == "get_metrics_result":
        return owner
    if not isinstance(owner, CompileMetrics):
        return None
    while frame is not None and not isinstance(frame.f_locals.get("self"), keras.Model):
        frame = frame.f_back
    return owner if frame is None else frame.f_locals["self"]


def _prefixes(owner: Any) -> dict[int, str]:
    """What each metric with several numbers puts before their names, so that no two are equal."""
    keys = list(_keys(owner))
    several = [(metric, key) for metric, key in keys if getattr(metric, "result_fields", ())]
    taken = {key for metric, key in keys if not getattr(metric, "result_fields", ())}
    kinds, names = Counter(m.kernel for m, _ in several), Counter(m.name for m, _ in several)
    prefixes: dict[int, str] = {}
    for metric, key in several:
        alone = _has_default_name(metric) and kinds[metric.kernel] == 1
        choices = [""] * alone + [f"{metric.name}_"] * (names[metric.name] == 1) + [f"{key}_"]
        choices += [f"{key}_{k}_" for k in range(1, len(keys) + 1)]
        free = (p for p in choices if not taken.intersection(p + field for field in metric.result_fields))
        prefixes[id(metric)] = prefix = next(free, choices[-1])
        taken.update(prefix + field for field in metric.result_fields)
    return prefixes


def _keys(owner: Any) -> Iterator[tuple[Any, str]]:
    """Each metric once, and the name that Keras gives to its result."""
    compiled = owner if isinstance(owner, CompileMetrics) else getattr(owner, "_compile_metrics", None)
    seen: set[int] = set()
    taken: set[str] = set()
    if compiled is not None and compiled.built:
        for kind, lists in (("", compiled._flat_metrics), ("weighted_", compiled._flat_weighted_metrics)):  # noqa: SLF001
            for metric, of_output in ((metric, each.output_name) for each in lists if each for metric in each.metrics):
                output = f"{of_output}_" if of_output else ""
                key = f"{output}{metric.name}"
                key = f"{output}{kind}{metric.name}" if key in taken else key
                key = next(k for k in (key, *(f"{key}_{i}" for i in range(1, len(taken) + 1))) if k not in taken)
                taken.add(key)
                if id(metric) not in seen:
                    seen.add(id(metric))
                    yield metric, key
    for metric in () if owner is compiled else owner.metrics:
        if metric is not compiled and id(metric) not in seen:
            seen.add(id(metric))
            yield metric, metric.name


def _has_default_name(metric: Any) -> bool:
    return re.fullmatch(rf"{to_snake_case(type(metric).__name__)}(_\d+)?", metric.name) is not None
