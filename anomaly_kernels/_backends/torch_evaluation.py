"""How torch evaluates formulas on the CPU: in blocks on quiet workers, with the slope of each in the backward pass."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from anomaly_kernels._backends import blocks
from anomaly_kernels._backends.blocks import Cut
from anomaly_kernels._typing import DType

BLOCKS = 2**6
"""Blocks from which on they pay where no gradient is recorded: memory below is recycled without page faults."""

RECORDED_BLOCKS = 2**5
"""The same where gradients are recorded."""

SLOPES = 2**15
"""Elements from which on a slope of our own pays, but where torch has the whole formula as one operation."""


def is_watched() -> bool:
    """Whether anyone but the recorder of gradients sees what is computed, or with what values."""
    return (
        torch.compiler.is_compiling()
        or torch._C._functorch.peek_interpreter_stack() is not None  # vmap, grad, jvp; no public way to ask  # noqa: SLF001
        or forward_ad._current_level >= 0  # a tensor with a tangent looks like any other  # noqa: SLF001
        or torch._C._len_torch_dispatch_stack() > 0  # modes that trace or count operations  # noqa: SLF001
        or torch.jit.is_tracing()
    )


def is_plain(x: Any) -> bool:
    """Whether this is a tensor on the CPU, or a number; subclasses may be fake or traced tensors."""
    return (type(x) in (Tensor, torch.nn.Parameter) and x.is_cpu) or isinstance(x, int | float)


def sums(
    xp: Any, formula: Any, dtype: DType, arrays: Sequence[Tensor], whole: Sequence[Any]
) -> tuple[Tensor, ...] | None:
    """The sums of a formula, in blocks or with slopes of its own; None where neither pays or may be."""
    arguments = (*arrays, *whole)
    if is_watched() or not all(map(is_plain, arguments)):
        return None
    if torch.is_grad_enabled() and any(isinstance(x, Tensor) and x.requires_grad for x in arguments):
        if formula.slopes is None or not are_many(formula, arrays, RECORDED_BLOCKS):
            return None
        found: tuple[Tensor, ...] = _Sums.apply(_Evaluation(xp, formula, dtype, len(arrays)), *arguments)
        return found
    if not are_many(formula, arrays, BLOCKS):
        return None
    arrays, whole = _detached(arrays), _detached(whole)
    return blocks.sums(xp, on_workers, formula, dtype, arrays, whole)


def values(xp: Any, formula: Any, dtype: DType, arrays: Sequence[Tensor], whole: Sequence[Any]) -> Tensor:
    """All values of a formula, in blocks."""
    shape = arrays[0].shape
    out = torch.empty(shape[: len(shape) - formula.inner], dtype=dtype)
    arrays, whole = _detached(arrays), _detached(whole)
    return blocks.values(xp, on_workers, formula, dtype, arrays, whole, out)


def _detached(arguments: Sequence[Any]) -> list[Any]:
    """Tensors of which workers, whose threads record gradients by default, record none."""
    return [x.detach() if isinstance(x, Tensor) else x for x in arguments]


def are_many(formula: Any, arrays: Sequence[Tensor], count: int) -> bool:
    """Whether arrays make so many blocks."""
    return arrays[0].numel() >= count * (formula.block or blocks.BLOCK)


class _Evaluation:
    """What the two passes have in common."""

    def __init__(self, xp: Any, formula: Any, dtype: DType, count: int) -> None:
        self.xp, self.formula, self.dtype, self.count = xp, formula, dtype, count

    def sums(self, arguments: Sequence[Any]) -> tuple[Tensor, ...]:
        """The plain expression."""
        arrays, whole = self.split(arguments)
        found: tuple[Tensor, ...] = self.formula.sums(self.xp, *blocks.parts(self.xp, self.dtype, arrays, ()), *whole)
        return found

    def split(self, arguments: Sequence[Any]) -> tuple[Sequence[Tensor], Sequence[Any]]:
        """Arrays that are cut in blocks, and what is always whole."""
        return arguments[: self.count], arguments[self.count :]

    def in_blocks(self, arguments: Sequence[Any]) -> bool:
        """Whether there is more than one block."""
        return are_many(self.formula, arguments, RECORDED_BLOCKS)

    def gradients(self, needed: Sequence[bool], upstream: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
        """Gradients by the slopes of blocks, each written where it belongs; those of what is whole are added up."""
        xp, (arrays, whole) = self.xp, self.split(arguments)
        cuts: list[Cut] = [()]
        run: Callable[..., list[Any]] = _here
        if self.in_blocks(arguments):
            cuts, run = blocks.cuts(self.formula, arrays), on_workers
        found = [torch.empty(x.shape, dtype=x.dtype) if needed[k] else None for k, x in enumerate(arrays)]

        def of_block(cut: Cut) -> list[Any]:
            slopes, factor = self.formula.gradients(xp, upstream, *blocks.parts(xp, self.dtype, arrays, cut), *whole)
            for slope, gradient in zip(slopes, found, strict=False):
                if gradient is not None:
                    torch.mul(slope(), factor, out=gradient[cut])
            return [factor * slopes[k]() if needed[k] else None for k in range(self.count, len(arguments))]

        columns = zip(*run(of_block, cuts), strict=True)
        return found + [None if c[0] is None else blocks.added(xp, arrays[0], c, self.dtype) for c in columns]


class _Sums(torch.autograd.Function):
    """Sums whose backward pass evaluates slopes anew from the inputs: nothing else is kept for it."""

    @staticmethod
    def forward(ctx: Any, evaluation: _Evaluation, *arguments: Any) -> tuple[Tensor, ...]:
        ctx.evaluation = evaluation
        ctx.arguments = [None if isinstance(x, Tensor) else x for x in arguments]
        ctx.save_for_backward(*(x for x in arguments if isinstance(x, Tensor)))
        plain = _detached(arguments)
        if not evaluation.in_blocks(plain):
            return evaluation.sums(plain)
        arrays, whole = evaluation.split(plain)
        return blocks.sums(evaluation.xp, on_workers, evaluation.formula, evaluation.dtype, arrays, whole)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Any, ...]:
        saved = iter(ctx.saved_tensors)
        arguments = [next(saved) if x is None else x for x in ctx.arguments]
        needed = ctx.needs_input_grad[1:]
        if torch.is_grad_enabled() or is_watched() or any(map(torch._C._functorch.is_batchedtensor, upstream)):  # noqa: SLF001
            return (None, *_differentiated(ctx.evaluation, arguments, needed, upstream))
        known = [x if x.ndim else x.item() for x in upstream]
        plain = _detached(arguments)
        return (None, *ctx.evaluation.gradients(needed, known, plain))


def _differentiated(
    evaluation: _Evaluation, arguments: Sequence[Any], needed: Sequence[bool], upstream: Sequence[Tensor]
) -> list[Tensor | None]:
    """The gradients as autograd finds them in the plain expression, itself to be differentiated or mapped."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        found = evaluation.sums(arguments)
    wanted = [x for x, need in zip(arguments, needed, strict=True) if need]
    gradients = iter(torch.autograd.grad(found, wanted, upstream, create_graph=again, allow_unused=True))
    return [next(gradients) if need else None for need in needed]


def _here(function: Callable[[Cut], Any], cuts: Sequence[Cut]) -> list[Any]:
    return [function(cut) for cut in cuts]


def on_workers(function: Callable[[Cut], Any], cuts: Sequence[Cut]) -> list[Any]:
    """The function of each cut, by workers that share them out: one that lost its core takes fewer."""
    threads = torch.get_num_threads()
    if threads == 1:
        return _here(function, cuts)
    results: list[Any] = [None] * len(cuts)
    order = itertools.count()

    def work() -> None:
        while (k := next(order)) < len(cuts):
            results[k] = function(cuts[k])

    for future in [_pool(threads).submit(work) for _ in range(threads)]:
        future.result()
    return results


class _Workers:
    """The pool, made where it is first needed, and anew after a fork."""

    pool: ThreadPoolExecutor | None = None
    threads = 0
    lock = threading.Lock()


def _pool(threads: int) -> ThreadPoolExecutor:
    """Workers whose operations keep to their own thread: OpenMP's would wait for one another where a core is busy."""
    with _Workers.lock:
        if _Workers.pool is None or _Workers.threads < threads:
            ready = threading.Barrier(threads + 1)

            def quiet() -> None:
                torch.get_num_threads()  # takes the count of the process, which would else come later
                torch.set_num_threads(1)
                ready.wait()

            _Workers.pool, _Workers.threads = ThreadPoolExecutor(threads, "anomaly_kernels", quiet), threads
            for _ in range(threads):
                _Workers.pool.submit(int)
            ready.wait()
            torch.set_num_threads(threads)  # new threads of others take what was set last
        return _Workers.pool


def _forget_pool() -> None:
    _Workers.pool, _Workers.lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_pool)
