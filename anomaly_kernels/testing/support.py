"""What does not apply to a kernel in a library, with the reason: for the tests and for the documentation.

Rules about libraries come first, then about families of kernels, then the few about one kernel.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from anomaly_kernels.testing.drivers import DRIVERS

__all__ = ["Support", "catalogue", "does_not_apply", "support_matrix"]

_NEEDS = {
    "gradients": ("gradient", "does not differentiate"),
    "value_and_grad": ("value_and_grad", "cannot be followed"),
    "second_derivatives": ("gradient", "does not differentiate"),
    "jit": ("jit", "does not compile"),
    "vmap": ("vmap", "has no vmap that kernels promise to run under"),
    "vmap_gradients": ("vmap", "has no vmap that kernels promise to run under"),
    "unknown_batch": ("unknown_batch", "has no unknown sizes"),
    "lazy": ("lazy", "computes at once"),
    "device": ("device", "has no second device on every machine"),
    "layout": ("layout", "does not let users choose the memory layout"),
}

_DERIVATIVES = ("gradients", "value_and_grad", "second_derivatives", "vmap_gradients")
_COUNTS = "counts and ranks are steps: they have no slope"
_CURVES = ("precision_recall_curve", "roc_curve")
_RANKING = (
    "anomaly_detection_metrics",
    "aupr_trapezoid",
    "average_precision",
    "best_f1",
    "fpr_at_tpr",
    "precision_at_k",
    "roc_auc",
    *_CURVES,
)
_RULES: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str], ...] = (
    # kernels, libraries (none: every one), checks, reason
    (_RANKING, (), _DERIVATIVES, _COUNTS),
    (("anomaly_pixel_statistics",), (), _DERIVATIVES, _COUNTS),
    (("anomaly_pixel_statistics",), (), ("shapes",), "no pixels at all are none that are anomalous"),
    (_RANKING, (), ("integers",), "only the order of the scores counts: integers have one"),
    (_CURVES, (), ("jit", "vmap", "unknown_batch", "device"), "they have as many points as there are distinct scores"),
    (
        ("fpr_at_tpr", "roc_auc", "roc_curve"),
        (),
        ("extreme (all positive)", "extreme (none positive)"),
        "undefined for a single class: NaN",
    ),
    (
        ("component_orthogonality",),
        (),
        ("extreme (large)", "extreme (nearly overflowing)"),
        "the Frobenius norm takes fourth powers of the components",
    ),
    (("score_statistics",), (), ("extreme (tiny)",), "squares of 1e-20 are subnormal in float32, which may be 0"),
    (("distillation_loss",), (), ("integers", "foreign"), "`x_true` goes to the model alone, which may take anything"),
    (
        ("distillation_loss", "adversarial_ae_loss"),
        (),
        ("promotion", "half"),
        "the model computes in the dtype it is given",
    ),
    (("multi_objective_loss",), (), ("shapes",), "the anomaly scores are compared with nothing"),
    (("svdd_radius",), (), ("permutation", "shapes", "foreign"), "takes a number, not a batch"),
    (("explained_variance",), (), ("permutation",), "the cumulative sum depends on the order"),
)


class Support(NamedTuple):
    """One row of the support matrix: what a kernel does not do in a library, and why, by check.

    Attributes
    ----------
    kernel : str
        A name from `catalogue`.
    library : str
        A key of `DRIVERS`.
    missing : dict
        From the names of checks to the reasons why they do not apply.
    """

    kernel: str
    library: str
    missing: dict[str, str]


def catalogue() -> dict[str, Callable[..., Any]]:
    """Every kernel by name: losses, metrics, networks, as their packages list them."""
    from anomaly_kernels import losses, metrics, networks

    found = {name: getattr(module, name) for module in (losses, metrics, networks) for name in module.__all__}
    return {name: kernel for name, kernel in found.items() if inspect.isfunction(kernel)}


def does_not_apply(check: str, kernel: str, library: str) -> str | None:
    """Give the reason why a check does not apply to a kernel in a library, None if it does."""
    driver = DRIVERS[library]
    if check in _NEEDS and _NEEDS[check][0] not in driver.can:
        return f"{library} {_NEEDS[check][1]}"
    if check == "half" and not driver.halves:
        return f"{library} has no half precision"
    for kernels, libraries, checks, reason in _RULES:
        if check in checks and kernel in kernels and (not libraries or library in libraries):
            return reason
    return None


def support_matrix() -> Iterator[Support]:
    """Yield a row for each kernel and library, from the same rules that the tests skip by.

    Yields
    ------
    Support
        Kernel, library, and the reasons of the checks that do not apply, by name.

    Examples
    --------
    >>> rows = {(row.kernel, row.library): row.missing for row in support_matrix()}
    >>> rows["roc_auc", "jax"]["gradients"]
    'counts and ranks are steps: they have no slope'
    """
    from anomaly_kernels.testing.contract import CHECKS

    for kernel in catalogue():
        for library in DRIVERS:
            reasons = {check: does_not_apply(check, kernel, library) for check in CHECKS}
            yield Support(kernel, library, {check: reason for check, reason in reasons.items() if reason})
