"""Weighing losses by their uncertainties: which losses can be weighed so, and what they add to the total."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from anomaly_kernels._catalogue import ENTRIES
from anomaly_kernels._core.checks import is_number
from anomaly_kernels._core.namespace import namespace_or_none
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.objective._errors import ObjectiveError, short_repr
from anomaly_kernels.objective._node import Node

_FACTORS = ("weight", "anomaly_weight", "w_model", "w_model_hl")
"""Settings that multiply losses, or what they are sums of, and may be negative."""


def check_sign(name: str, node: Node, settings: Mapping[str, Any]) -> None:
    """Raise where a loss may be negative with these settings in the place of its own: it has no uncertainty."""
    settings = node.bound | dict(settings)
    negative = ENTRIES[node.kernel].negative
    factors = [factor for factor in _FACTORS if _is_negative(settings.get(factor))]
    if negative is True:
        reason = node.type
    elif negative and settings.get(negative) is None:
        reason = f"{node.type}, without `{negative}`"
    elif factors:
        reason = f"multiplied by `{factors[0]}` = {short_repr(settings[factors[0]])}"
    else:
        return
    what = "`uncertainty` must be of losses that are not negative"
    raise ObjectiveError(f"{what}, got {short_repr(name)}, which is {reason}")


def _is_negative(factor: Any) -> bool:
    """Whether a factor, or one of several, is known to be negative; only NumPy's arrays are never traced."""
    xp = namespace_or_none(factor)
    if xp is not None and xp.name == "numpy":
        factor = factor.tolist()
    if isinstance(factor, list | tuple):
        return any(_is_negative(x) for x in factor)
    return is_number(factor) and factor < 0


def weigh_by_uncertainty(xp: Namespace, loss: Array, s: Array) -> Array:
    """Return ½ (e⁻ˢ loss + s); `docs/objectives.md` derives how the value and its slopes stay right at every s."""
    # e^limit is finite; its square times any normal number is not
    limit = 88.47 if s.dtype == xp.float32 else 709.53
    overflows = -s > limit
    plain = xp.exp(xp.where(overflows, 0.0, -s)) * (0.5 * loss)
    return xp.where(overflows, _with_limited_slopes(xp, loss, s, limit), plain) + 0.5 * s


def _with_limited_slopes(xp: Namespace, loss: Array, s: Array, limit: float) -> Array:
    """Return ½ e⁻ˢ loss where e⁻ˢ overflows: a constant, plus terms that are 0 and have the slopes."""
    steepest = math.exp(limit)
    root = xp.stop_gradient(xp.exp(xp.minimum(-0.5 * s, limit)))
    value = root * (root * (0.5 * xp.stop_gradient(loss)))
    finite = xp.where(xp.isfinite(loss), loss, 0.0)
    along_loss = 0.5 * steepest * (finite - xp.stop_gradient(finite))
    along_s = xp.minimum(value, steepest) * (s - xp.stop_gradient(s))
    return value + (along_loss - along_s)
