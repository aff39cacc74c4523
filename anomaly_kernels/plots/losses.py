"""The value and the slope of a function along one of its arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_kernels._catalogue import ENTRIES
from anomaly_kernels._core.checks import Range, function
from anomaly_kernels._core.namespace import array_namespace, describe, namespace_or_none
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels._core.tape.gradient import value_and_grad
from anomaly_kernels.plots import _axes
from anomaly_kernels.plots._axes import Numbers
from anomaly_kernels.testing.arguments import ARGUMENTS, arguments, array_arguments, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SETTINGS: dict[str, dict[str, Any]] = {
    "quantile_loss": {"quantiles": (0.9,)},
    "ssim_loss": {"data_range": 4.0, "size": 3},
    "cosine_distance_loss": {"axis": None},
    "hard_feature_loss": {"quantile": 0.5},
    "deep_sad_loss": {"eps": 0.1},
    "outlier_exposure_loss": {"outlier_weight": 0.5},
    "energy_bounded_loss": {"margin_in": -2.0, "margin_out": -1.0},
}
"""Settings that have no default, or one that shows nothing here."""

# Else of one number: but of one pixel the overlap is all or nothing, of one logit nothing is left to compare, and one
# number has no direction but its sign, which does not depend on its length.
SIZES = {
    **{each: {"N": 4} for each in ("iou_loss", "dice_loss", "tversky_loss", "lovasz_hinge_loss", "hard_feature_loss")},
    **{each: {"D": 3} for each in ("outlier_exposure_loss", "energy_bounded_loss", "logit_score")},
    "cosine_distance_loss": {"N": 3},
    "supcon_loss": {"N": 4, "D": 2},
}
FINITE = Range(above=-np.inf, below=np.inf)
TRUTH_COLORS = {0.0: _axes.NORMAL, 1.0: _axes.ANOMALOUS, -1.0: _axes.FOUND}
TRUTH_STYLES = {None: "-", 1.0: "-", 0.0: "--", -1.0: ":"}
TRUTHS = {"deep_sad_loss": (1.0, 0.0, -1.0), "outlier_exposure_loss": (0.0, 1.0, -1.0)}


def plot_loss(
    kernel: Callable[..., Any],
    /,
    along: str | None = None,
    *,
    span: tuple[float, float] = (-4.0, 4.0),
    name: str | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    **inputs: Any,
) -> Axes | Sequence[Axes]:
    """The value of a loss (solid) and its slope (dashed) along the first number of one of its arrays.

    The slope is the derivative with respect to this number. If there are several results, it is that of their sum.

    Parameters
    ----------
    kernel : callable
        A loss or score of this library, or of your own: a function of arrays that `value_and_grad` differentiates.
    along : str, optional
        The array that changes; by default that of the picture in the reference.
    span : pair of numbers
        The range in which it changes.
    name : str, optional
        Name of the loss in the legend.
    ax : matplotlib.axes.Axes, or a pair of them, optional
        Where to draw; by default a new figure. Of a pair, the first has the value, the second the slope.
    **inputs
        Arrays, of any library, and settings of the loss, by name. Arrays that are not given have random numbers, one
        each if that is enough, as in the reference. Without `target` there is a curve for each truth.

    Returns
    -------
    matplotlib.axes.Axes, or a pair of them
        What was drawn in.

    Raises
    ------
    TypeError
        If `kernel` cannot be called, or the inputs are not those that it takes.
    ValueError
        If there is no such array, or if you must give one because its contents are not known.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> from anomaly_kernels.plots import plot_loss
    >>> from matplotlib.figure import Figure
    >>> value, slope = Figure().subplots(1, 2)
    >>> _ = plot_loss(ak.quantile_loss, "y_pred", quantiles=(0.9,), y_true=np.zeros((1, 1, 1)), ax=(value, slope))
    >>> [round(float(x), 2) for x in np.unique(slope.lines[0].get_ydata())]
    [-0.9, 0.1]
    """
    function("kernel", kernel)
    entry, title = ENTRIES.get(kernel), getattr(kernel, "__name__", describe(kernel))
    arrays = _array_names(kernel, title)
    along = entry.picture if along is None and entry else along
    if along not in arrays:
        raise ValueError(f"`along` must be an array of {title}, got {along!r}{suggestion(along, arrays)}")
    low, high = (_axes.number("span", x, FINITE) for x in _axes.pair("span", span, "a pair of numbers"))
    where = np.linspace(low, high, 161)
    ax, first, second = _axes.one_or_two_axes(ax)
    for truth in TRUTHS.get(title, (1.0, 0.0)) if "target" in arrays and "target" not in inputs else (None,):
        value, slope = _curves(kernel, along, where, _inputs(kernel, title, inputs, truth))
        parts = [part for part in (name, None if truth is None else f"target = {truth:.0f}") if part is not None]
        color = _axes.next_color(first) if truth is None else TRUTH_COLORS[truth]
        for curve, panel, what in ((value, first, "value"), (slope, second or first, "slope")):
            said = ", ".join(parts if second is not None else [*parts, what]) or None
            # of a pair the curves of truths, some of which are the same, are told apart by dashes
            style = TRUTH_STYLES[truth] if second is not None else {"value": "-", "slope": "--"}[what]
            panel.plot(where, curve, style, color=color, linewidth=1.8, label=said)
    labels = {first: "value and slope"} if second is None else {first: "value", second: "slope"}
    for panel, label in labels.items():
        panel.set(xlabel=along, ylabel=label)
        _axes.tidy(panel)
    return ax


def _array_names(kernel: Callable[..., Any], title: str) -> list[str]:
    """The arrays of a function, which are given by name."""
    with suppress(ValueError):  # of what has no signature
        parameters = inspect.signature(kernel).parameters.values()
        if all(p.kind is not p.POSITIONAL_ONLY for p in parameters) and (names := array_arguments(kernel)):
            return names
    raise TypeError(f"`kernel` must be a function that takes its arrays by name, got {title}")


def _curves(
    kernel: Callable[..., Any], along: str, where: Numbers, inputs: Mapping[str, Any]
) -> tuple[Numbers, Numbers]:
    """The value, and its slope, where the first number of an array is each of some numbers."""

    def value(x: Any) -> Any:
        result = kernel(**{**inputs, along: x})
        if namespace_or_none(result) is None:
            raise TypeError(f"`kernel` must return an array, got {describe(result)}")
        return array_namespace(result).sum(result)

    if not inputs[along].size:
        raise ValueError(f"`{along}` must have a number that changes, got shape {inputs[along].shape}")
    points = []
    for t in where:
        x = np.array(inputs[along], dtype=np.float64)
        x.flat[0] = t
        y, slope = value_and_grad(value)(x)
        points.append((float(y), float(slope.flat[0])))
    values, slopes = np.asarray(points).T
    return values, slopes


def _inputs(kernel: Callable[..., Any], title: str, given: Mapping[str, Any], truth: float | None) -> dict[str, Any]:
    """Arrays and settings as given, arrays as NumPy's; arrays that are missing of a single number each, or of few."""
    names, rng = array_arguments(kernel), np.random.default_rng(0)
    settings = SETTINGS.get(title, {}) | {name: x for name, x in given.items() if name not in names}
    sizes = dict.fromkeys("NTDELQ", 1) | dict.fromkeys("HW", 5) | dict.fromkeys("KR", 3) | SIZES.get(title, {})
    missing = [name for name in names if name not in given]
    try:
        kinds = arguments(missing, settings)
    except ValueError:
        unknown = next(name for name in missing if name not in ARGUMENTS)
        raise ValueError(f"`{unknown}` must be given, for its name does not say what it holds, got nothing") from None
    drawn = {name: draw(kind, rng, sizes) for name, kind in kinds.items()}
    arrays = drawn | {name: _axes.numbers(name, x) for name, x in given.items() if name in names}
    if "target" in drawn:
        arrays["target"] = drawn["target"].astype(np.float64)
        arrays["target"].flat[0] = truth
    return arrays | settings
