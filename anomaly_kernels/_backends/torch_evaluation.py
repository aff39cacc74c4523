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
from anomaly_kernels._typing import DType

BLOCKS = 2**6
"""Blocks from which on they pay where no gradient is recorded: memory below is recycled without page faults."""

RECORDED_BLOCKS = 2**5
"""The same where gradients are recorded."""


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


def is_recorded(arguments: Sequence[Any]) -> bool:
    """Whether autograd records what is made of these."""
    return torch.is_grad_enabled() and any(isinstance(x, Tensor) and x.requires_grad for x in arguments)


def takes_blocks(formula: Any, arrays: Sequence[Tensor], whole: Sequence[Any]) -> bool:
    """Whether blocks pay for a formula, and may be; recorded ones need its slopes."""
    size, block, arguments = arrays[0].numel(), formula.block or blocks.BLOCK, (*arrays, *whole)
    if _here.in_block:  # of another formula, whose temporaries are to stay as small
        return size > block
    if size < RECORDED_BLOCKS * block or is_watched() or not all(map(is_plain, arguments)):
        return False
    return formula.slopes is not None if is_recorded(arguments) else size >= BLOCKS * block


def sum_blocks(xp: Any, formula: Any, dtype: DType, arrays: Sequence[Tensor], whole: Sequence[Any]) -> Any:
    """The sums of a formula, which know their slopes where gradients are recorded."""
    if is_recorded((*arrays, *whole)):
        return _Sums.apply(xp, formula, dtype, len(arrays), *arrays, *whole)
    return blocks.sums(xp, formula, dtype, arrays, whole)


class _Sums(torch.autograd.Function):
    """Sums whose backward pass evaluates slopes anew from the inputs: nothing else is kept for it."""

    @staticmethod
    def forward(ctx: Any, xp: Any, formula: Any, dtype: DType, count: int, *arguments: Any) -> tuple[Tensor, ...]:
        ctx.evaluation = xp, formula, dtype, count
        ctx.numbers = [None if isinstance(x, Tensor) else x for x in arguments]
        ctx.save_for_backward(*(x for x in arguments if isinstance(x, Tensor)))
        return blocks.sums(xp, formula, dtype, arguments[:count], arguments[count:])

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Any, ...]:
        saved = iter(ctx.saved_tensors)
        arguments = [next(saved) if x is None else x for x in ctx.numbers]
        looked_at = torch.is_grad_enabled() or is_watched() or any(map(_is_batch, upstream))
        gradients: Callable[..., list[Any]] = _differentiate if looked_at else _write_slopes
        return (None,) * 4 + tuple(gradients(*ctx.evaluation, arguments, ctx.needs_input_grad[4:], upstream))


def _is_batch(x: Tensor) -> bool:
    """Whether this is one of many upstream gradients: `is_grads_batched` maps in a way of its own."""
    return torch._C._functorch.is_legacy_batchedtensor(x)  # noqa: SLF001


def _differentiate(
    xp: Any, formula: Any, dtype: DType, count: int, arguments: Sequence[Any], needed: Sequence[bool], upstream: Any
) -> list[Any]:
    """Gradients as autograd finds them in the plain expression, where they are to be differentiated or mapped."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        # views, from which no way leads to another argument, of which it may have been made
        own = [x.view_as(x) if need else x for x, need in zip(arguments, needed, strict=True)]
        found = formula.sums(xp, *blocks.parts(xp, dtype, own[:count], ...), *own[count:])
    wanted = [x for x, need in zip(own, needed, strict=True) if need]
    moving = [(x, u) for x, u in zip(found, upstream, strict=True) if x.requires_grad]  # a count does not
    found, upstream = zip(*moving, strict=True)
    gradients = iter(torch.autograd.grad(found, wanted, upstream, create_graph=again, allow_unused=True))
    return [next(gradients) if need else None for need in needed]


def _write_slopes(
    xp: Any, formula: Any, dtype: DType, count: int, arguments: Sequence[Any], needed: Sequence[bool], upstream: Any
) -> list[Any]:
    """Gradients by the slopes of blocks, each written where it belongs; those of what is whole are added up."""
    arrays, whole = arguments[:count], arguments[count:]
    known = [x if x.ndim else x.item() for x in upstream]
    written = [torch.empty(x.shape, dtype=x.dtype) if needed[k] else None for k, x in enumerate(arrays)]

    def of_block(cut: Any) -> list[Any]:
        slopes, factor = formula.gradients(xp, known, *blocks.parts(xp, dtype, arrays, cut), *whole)
        for slope, gradient in zip(slopes, written, strict=False):
            if gradient is not None:
                torch.mul(slope(), factor, out=gradient[cut])
        return [factor * slopes[k]() if needed[k] else None for k in range(count, len(arguments))]

    columns = zip(*run(of_block, blocks.cuts(formula, arrays)), strict=True)
    return written + [None if terms[0] is None else blocks.add(xp, arrays[0], terms, dtype) for terms in columns]


def run(function: Callable[[Any], Any], cuts: Sequence[Any]) -> list[Any]:
    """The function of each cut, by workers that share them out: one that lost its core takes fewer."""
    threads = torch.get_num_threads()
    results: list[Any] = [None] * len(cuts)
    order = itertools.count()

    def work() -> None:
        outside, _here.in_block = _here.in_block, True
        try:
            with torch.no_grad():
                while (k := next(order)) < len(cuts):
                    results[k] = function(cuts[k])
        finally:
            _here.in_block = outside

    if threads == 1:
        work()
    else:
        for future in [_get_pool(threads).submit(work) for _ in range(threads)]:
            future.result()
    return results


class _Here(threading.local):
    """What this thread is at."""

    in_block = False


_here = _Here()


class _Workers:
    """The pool, made where it is first needed, and anew after a fork."""

    pool: ThreadPoolExecutor | None = None
    threads = 0
    lock = threading.Lock()


def _get_pool(threads: int) -> ThreadPoolExecutor:
    """Workers whose operations keep to their own thread: OpenMP's would wait for one another where a core is busy."""
    with _Workers.lock:
        if _Workers.pool is None or _Workers.threads < threads:
            ready = threading.Barrier(threads + 1)

            def keep_quiet() -> None:
                torch.get_num_threads()  # takes the count of the process, which would else come later
                torch.set_num_threads(1)
                ready.wait()

            _Workers.pool, _Workers.threads = ThreadPoolExecutor(threads, "anomaly_kernels", keep_quiet), threads
            for _ in range(threads):
                _Workers.pool.submit(int)
            ready.wait()
            torch.set_num_threads(threads)  # new threads of others take what was set last
        return _Workers.pool


def _forget_pool() -> None:
    _Workers.pool, _Workers.lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_pool)
