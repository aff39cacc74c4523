"""An image with its anomalous regions, the map of scores, and the regions that a threshold finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import withStroke

from anomaly_kernels._core.checks import dtype_name
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels.metrics import label_regions, region_detection
from anomaly_kernels.plots import _axes
from anomaly_kernels.plots._axes import Mask, Numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@with_hint
def plot_regions(
    image: Any = None, mask: Any = None, score: Any = None, *, threshold: Any = None, ax: Axes | None = None
) -> Axes:
    """An image, its map of scores over it, and outlines of true regions and of regions that are found.

    Parameters
    ----------
    image : array, shape (H, W), (H, W, C) or (C, H, W), optional
        The image, grey or of C = 3 colours, with C = 4 of opacity last. Colours outside [0, 1] are scaled to it, those
        of 8 bits by 255; opacity above 1 is divided by its greatest number. Infinite colours are the brightest or the
        darkest; NaN is black, see-through where the image is grey.
    mask : array, shape (H, W), optional
        True anomalies: 0 or False is normal, other whole numbers are anomalous. Solid outlines.
    score : array, shape (H, W), optional
        The map of scores, higher for anomalies; see-through where there is an image. Its colours span finite scores.
    threshold : number, 0-d array or result, optional
        ``score >= threshold`` is found: dashed outlines. A single one of what `plot_scores` takes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes that were drawn in.

    Raises
    ------
    TypeError
        If an argument is not an array of numbers, or not a threshold.
    ValueError
        If nothing is given, the shapes do not go together, `mask` has fractions, negative numbers or NaN, an image or
        score has no finite number, or there is a threshold without a score.

    Examples
    --------
    >>> import numpy as np
    >>> from anomaly_kernels.plots import plot_regions
    >>> from matplotlib.figure import Figure
    >>> mask = np.zeros((16, 16), bool)
    >>> mask[2:5, 2:5] = mask[10:14, 8:14] = True
    >>> score = mask * np.linspace(0, 1, 16)
    >>> ax = plot_regions(None, mask, score, threshold=0.5, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['true regions: 2, found: 1', 'alarms: 1, false: 0']
    """
    picture = None if image is None else _picture(image)
    scores = None if score is None else _axes.numbers("score", score)
    truth = None if mask is None else _axes.mask("mask", mask)
    given = {"image": picture, "score": scores, "mask": truth}
    shapes = {name: x.shape[:2] if name == "image" else x.shape for name, x in given.items() if x is not None}
    if not shapes:
        raise ValueError("`image`, `mask` or `score` must be given, got None of them")
    first, shape = next(iter(shapes.items()))
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"`{first}` must have shape (H, W), got {shape}")
    for name, other in shapes.items():
        _axes.same_shape(name, other, f"shape of `{first}`", shape)
    lines = _axes.thresholds(threshold)
    if len(lines) > 1:
        raise ValueError(f"`threshold` must be a single one, got {len(lines)}")
    if lines and scores is None:
        raise ValueError("`threshold` goes with a `score`, got None")
    found = None if scores is None or not lines else scores >= next(iter(lines.values()))
    low, high = (None, None) if scores is None else _axes.ends("score", scores)
    ax = _axes.axes_or_new(ax)
    if picture is not None:
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
    if scores is not None:
        ax.imshow(scores, cmap="viridis", vmin=low, vmax=high, alpha=None if picture is None else 0.45)
    if truth is not None:
        _outline(ax, truth, _axes.ANOMALOUS, "solid", _said_of_truth(truth, found))
    if found is not None:
        _outline(ax, found, _axes.CYAN, "dashed", _said_of_found(truth, found))
    ax.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5), xticks=[], yticks=[], aspect="equal")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), frameon=False, fontsize="small")
    return ax


def _picture(image: Any) -> Numbers:
    """An image as matplotlib shows it: colours last, numbers from 0 to 1."""
    values = _axes.numbers("image", image)
    shape = values.shape
    if values.ndim == 3 and values.shape[-1] not in (1, 3, 4) and values.shape[0] in (1, 3, 4):
        values = np.moveaxis(values, 0, -1)
    if values.ndim not in (2, 3) or 0 in values.shape or (values.ndim == 3 and values.shape[-1] not in (1, 3, 4)):
        raise ValueError(f"`image` must have shape (H, W), (H, W, C) or (C, H, W) with C = 1, 3 or 4, got {shape}")
    values = values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values
    if dtype_name(image.dtype) == "uint8":
        return np.asarray(values / 255.0)
    colors, opacity = values[..., :3] if values.ndim == 3 else values, values[..., 3:]
    low, high = _axes.ends("image", colors)
    if low < 0.0 or high > 1.0:
        colors = (colors - low) / ((high - low) or 1.0)
    colors = np.clip(colors, 0.0, 1.0)
    if values.ndim == 2:
        return colors
    opacity = np.nan_to_num(opacity) / max(1.0, float(np.max(opacity, initial=1.0, where=np.isfinite(opacity))))
    return np.concatenate([np.nan_to_num(colors), np.clip(opacity, 0.0, 1.0)], axis=-1)


def _outline(ax: Any, points: Mask, color: str, style: str, label: str) -> None:
    """Draw the border of what is true, also at the edge of the image, and an entry of the legend."""
    if np.any(points):
        around = np.pad(points.astype(np.float64), 1)
        places = (np.arange(-1.0, n + 1.0) for n in points.shape[::-1])
        contour = ax.contour(*places, around, [0.5], colors=[color], linestyles=[style], linewidths=1.6)
        contour.set_path_effects([withStroke(linewidth=3.0, foreground="#222222")])  # seen on any image
    ax.plot([], [], color=color, linestyle=style, linewidth=1.6, label=label)


def _said_of_truth(truth: Mask, found: Mask | None) -> str:
    if found is None:
        return f"true regions: {_count(truth)}"
    counts = region_detection(truth[None], found[None])
    return f"true regions: {counts.regions}, found: {counts.detected}"


def _said_of_found(truth: Mask | None, found: Mask) -> str:
    if truth is None:
        return f"alarms: {_count(found)}"
    counts = region_detection(truth[None], found[None])
    return f"alarms: {counts.alarms}, false: {counts.false_alarms}"


def _count(points: Mask) -> int:
    return int(np.max(np.asarray(label_regions(points[None]))))
