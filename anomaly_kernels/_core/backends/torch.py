"""The namespace of torch: its own functions where they mean what the standard says; wrappers cost microseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import array_api_compat.torch as standard
import numpy as np
import torch
from torch import Tensor

from anomaly_kernels._core.backends import torch_evaluation as evaluation
from anomaly_kernels._core.backends.generic import Generic
from anomaly_kernels._core.typing import Axis, DType, Namespace, Setting

_CODES = {"none": 0, "mean": 1, "sum": 2}  # of reductions, in torch's C++


class Torch(Generic):
    """torch's functions under the names of the standard."""

    abs = staticmethod(torch.abs)
    any = staticmethod(torch.any)
    astype = staticmethod(Tensor.to)
    divide = staticmethod(torch.div)
    erf = staticmethod(torch.erf)
    exp = staticmethod(torch.exp)
    log = staticmethod(torch.log)
    log1p = staticmethod(torch.log1p)
    ones_like = staticmethod(torch.ones_like)
    sigmoid = staticmethod(torch.sigmoid)
    sqrt = staticmethod(torch.sqrt)
    sum = staticmethod(torch.sum)
    where = staticmethod(torch.where)
    zeros_like = staticmethod(torch.zeros_like)

    def mean(self, x: Tensor, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return torch.mean(x) if axis is None and not keepdims else torch.mean(x, dim=axis, keepdim=keepdims)

    def matmul(self, x1: Tensor, x2: Tensor) -> Tensor:
        return _outside_autocast(torch.matmul, x1, x2) if _autocasts() else torch.matmul(x1, x2)

    def cholesky(self, x: Tensor) -> Tensor:
        return _outside_autocast(torch.linalg.cholesky, x) if _autocasts() else torch.linalg.cholesky(x)

    def eye_like(self, x: Tensor) -> Tensor:
        return torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)

    def cumulative_sum(self, x: Tensor, *, axis: int) -> Tensor:
        # array-api-compat's own asks for a namespace, which torch.compile cannot trace without a warning
        return torch.cumsum(x, dim=axis)

    def reshape(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        return torch.reshape(x, shape)

    def maximum(self, x1: Tensor, x2: Setting) -> Tensor:
        return torch.maximum(x1, x2) if isinstance(x2, Tensor) else torch.clamp(x1, min=x2)

    def minimum(self, x1: Tensor, x2: Setting) -> Tensor:
        return torch.minimum(x1, x2) if isinstance(x2, Tensor) else torch.clamp(x1, max=x2)

    def sign(self, x: Tensor) -> Tensor:
        # array-api-compat's indexes by a mask where x is NaN, which vmap cannot
        return torch.where(x != x, x, torch.sign(x))

    def sort(self, x: Tensor) -> Tensor:
        if self.is_lean(x) and x.dtype != torch.bfloat16:
            # NumPy's vectorised sort is several times faster; the memory is shared, nothing is copied but the result
            return torch.from_numpy(_numpy().sort(_in_numpy(x)))
        return torch.sort(x).values

    def sorted_classes(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        if x.dtype == torch.bfloat16:
            return super().sorted_classes(x, mask)
        inside, outside = _numpy().sorted_classes(_in_numpy(x), _in_numpy(mask))
        return torch.from_numpy(inside), torch.from_numpy(outside)

    def sort_highest(self, x: Tensor, mask: Tensor, share: Setting) -> Tensor:
        if x.dtype == torch.bfloat16:
            return super().sort_highest(x, mask, share)
        highest = self.to_numpy(share) if isinstance(share, Tensor) else share
        return torch.from_numpy(_numpy().sort_highest(_in_numpy(x), _in_numpy(mask), highest))

    def order_statistics(self, x: Tensor, ranks: Sequence[int]) -> Sequence[Tensor]:
        if self.is_lean(x):
            entries = _numpy().order_statistics(_in_numpy(x), ranks)
            return [torch.as_tensor(each, device="cpu") for each in entries]  # whatever the default device
        # not indexed one by one: a graph with an open batch would note that each rank is below it
        places = torch.stack([torch.full((), rank, dtype=torch.int64, device=x.device) for rank in ranks])
        return torch.gather(torch.sort(x).values, 0, places).unbind()

    def argsort(self, x: Tensor, *, stable: bool = False) -> Tensor:
        if self.is_lean(x) and x.dtype != torch.bfloat16:
            return torch.from_numpy(_numpy().argsort(_in_numpy(x), stable=stable))
        return torch.argsort(x, stable=stable)

    def cumulative_min(self, x: Tensor) -> Tensor:
        return torch.cummin(x, dim=-1).values

    def top_k(self, x: Tensor, k: int) -> tuple[Tensor, Tensor]:
        largest = torch.topk(x, k)
        return largest.values, largest.indices

    def take_along_axis(self, x: Tensor, indices: Tensor) -> Tensor:
        # not take_along_dim, at which Dynamo compiles anew for every size
        return torch.gather(x, -1, indices)

    def searchsorted(self, x1: Tensor, x2: Tensor, *, side: str = "left") -> Tensor:
        return torch.searchsorted(x1.contiguous(), x2.contiguous(), side=side)

    def lower_inverse(self, x: Tensor) -> Tensor:
        return _outside_autocast(_lower_inverse, x) if _autocasts() else _lower_inverse(x)

    def softplus(self, x: Tensor) -> Tensor:
        return torch.nn.functional.softplus(x, 1.0, 40.0)  # beyond 40 it is x, also in float64

    def magnitude(self, x: Tensor) -> Tensor:
        # not `where`, which is 30 times slower than a product
        return torch.abs(x) if self.is_lean(x) else x * (1 - 2 * (x < 0).to(x.dtype))

    def stop_gradient(self, x: Tensor) -> Tensor:
        return x.detach()

    def squared_difference(self, x1: Tensor, x2: Tensor, how: str) -> Tensor:
        if x2.ndim < x1.ndim:  # sizes are not compared: a graph with an open batch would note that they differ
            x2 = x2.expand(x1.shape)  # which neither its backward pass nor vmap does
        # the public function spends 2 µs on shapes known to be equal
        return torch._C._nn.mse_loss(x1, x2, _CODES[how])  # noqa: SLF001

    def clip(self, x: Tensor, low: Setting, high: Setting) -> Tensor:
        if isinstance(low, Tensor) or isinstance(high, Tensor):
            return super().clip(x, low, high)
        return torch.clamp(x, low, high)

    def cross_entropy(self, x: Tensor, y: Tensor, how: str) -> Tensor:
        return torch.binary_cross_entropy_with_logits(x, y, None, None, _CODES[how])

    def takes_blocks(self, formula: Any, arrays: Sequence[Tensor], whole: Sequence[Any]) -> bool:
        # who compiles would compile anew for sizes that are compared
        if torch.compiler.is_compiling() or arrays[0].numel() * formula.growth < evaluation.SMALL:
            return False
        return evaluation.takes_blocks(formula, arrays, whole)

    def sum_blocks(self, formula: Any, dtype: DType, arrays: Sequence[Tensor], whole: Sequence[Any]) -> Any:
        return evaluation.sum_blocks(self, formula, dtype, arrays, whole)

    write_product = staticmethod(torch.mul)

    def empty(self, shape: tuple[int, ...], dtype: DType) -> Tensor:
        return torch.empty(shape, dtype=dtype, device="cpu")

    def run(self, function: Callable[[Any], Any], cuts: Sequence[Any]) -> list[Any]:
        return evaluation.run(function, cuts)

    def value_and_grad(
        self, function: Callable[[list[Tensor]], Tensor], arrays: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        recording = torch.is_grad_enabled()
        with torch.inference_mode(mode=False), torch.enable_grad():
            leaves = [x.view_as(x) if x.requires_grad else _leaf(x) for x in arrays]
            value = function(leaves)
            if not value.requires_grad:
                return value, [torch.zeros_like(x) for x in arrays]
            # what else has a gradient, such as a module's weights or the leaves of a call around this one, gets it
            # through these gradients too
            more = recording and _depends_on_others(value, leaves)
            gradients = torch.autograd.grad(value, leaves, create_graph=more, materialize_grads=True)
        return value if more else value.detach(), [g.clone() for g in gradients]

    def constant(self, values: Any, *, like: Tensor, dtype: DType) -> Tensor:
        return torch.as_tensor(values, dtype=dtype, device=like.device)

    def wide(self, x: Tensor) -> DType:
        return torch.float32 if x.device.type == "mps" else torch.float64  # which Apple's GPUs lack

    def is_known(self, x: Tensor) -> bool:
        return not x.is_meta and not evaluation.is_watched()

    def peek(self, x: Tensor) -> np.ndarray | None:
        return self.to_numpy(x) if not evaluation.is_watched() and evaluation.is_plain(x) else None

    def to_numpy(self, x: Tensor) -> np.ndarray:
        return _in_numpy((x.float() if x.dtype == torch.bfloat16 else x).cpu())

    def is_lean(self, *arrays: Any) -> bool:
        seen = evaluation.is_watched() or evaluation.is_recorded(arrays)
        return not seen and all(map(evaluation.is_plain, arrays))


class _OfLayers(Torch):
    """The namespace of layers, whose products follow autocast as those of torch's own layers do."""

    matmul = staticmethod(torch.matmul)


_autocasts = torch._C._is_any_autocast_enabled  # the public question needs a device that has it  # noqa: SLF001


def _outside_autocast(function: Callable[..., Tensor], *arrays: Tensor) -> Tensor:
    """A product, or what has products in its gradient, where autocast would round these to half precision."""
    first = arrays[0]
    device = first.device.type
    if first.dtype != torch.float32 or not torch.amp.is_autocast_available(device):
        return function(*arrays)
    with torch.autocast(device, enabled=False):
        value = function(*arrays)
    if device == "mps" or not (evaluation.is_watched() or evaluation.is_recorded(arrays)):
        return value  # it has no float64, or needs no slope
    # The backward pass comes within reach of an autocast where it is compiled, or is run there; which leaves float64
    # alone. So the slope is that of the function in float64.
    wide = function(*[x.double() for x in arrays])
    return value.detach() + (wide - wide.detach()).float()


def _lower_inverse(x: Tensor) -> Tensor:
    eye = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    return torch.linalg.solve_triangular(x, eye.expand(x.shape), upper=False)


def _in_numpy(x: Tensor) -> np.ndarray:
    """A tensor on the CPU as NumPy's array, whose memory it shares but where its sign is a mark: `z.conj().imag`."""
    return x.detach().resolve_neg().numpy()


def _leaf(x: Tensor) -> Tensor:
    return (x.clone() if x.is_inference() else x.detach()).requires_grad_()


def _depends_on_others(value: Tensor, leaves: list[Tensor]) -> bool:
    """Whether anything but the leaves has a gradient."""
    seen, left = set(), [value.grad_fn]
    while left:
        node = left.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if hasattr(node, "variable") and all(node.variable is not x for x in leaves):
                return True
            left += [source for source, _ in node.next_functions]
    return False


def _numpy() -> Any:
    from anomaly_kernels._core.backends.numpy import namespace

    return namespace


def is_array(kind: type) -> bool:
    """Whether objects of a type are arrays."""
    return issubclass(kind, Tensor)


namespace = Torch("torch", standard)
namespace_of_layers = cast(Namespace, _OfLayers("torch", standard))
