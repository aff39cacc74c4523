"""How torch evaluates formulas on the CPU: in blocks by single-threaded workers, with the slope of each in backward."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from anomaly_kernels._core.backends import blocks
from anomaly_kernels._core.typing import DType

SMALL = 2**18
"""Below this many elements blocks are never used: `torch.py` asks no further."""

BLOCKS = 2**6
"""Blocks from which on they pay without gradients (2**22 elements): memory below is recycled without page faults."""

RECORDED_BLOCKS = 2**5
"""The same where gradients are recorded: RECORDED_BLOCKS · blocks.BLOCK elements, 2**21; fewer in small blocks."""


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
    size, arguments = arrays[0].numel(), (*arrays, *whole)
    if _thread.in_block:  # a formula within a block of another: its temporaries stay within one block
        return size > blocks.size_of(formula)
    size, block = size * formula.growth, max(1, int(min(formula.blocks, 1) * blocks.BLOCK))
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
        xp, formula, dtype, count = ctx.evaluation
        saved, needed = iter(ctx.saved_tensors), ctx.needs_input_grad[4:]
        arguments = [next(saved) if x is None else x for x in ctx.numbers]
        arrays, whole = arguments[:count], arguments[count:]
        if torch.is_grad_enabled() or is_watched() or any(map(_is_batch, upstream)):
            gradients = _differentiate(xp, formula, dtype, arrays, whole, needed, upstream)
        else:
            gradients = blocks.gradients(xp, formula, dtype, arrays, whole, needed, upstream)
        return (None,) * 4 + tuple(gradients)


def _is_batch(x: Tensor) -> bool:
    """Whether this is one of many upstream gradients: `is_grads_batched` maps in a way of its own."""
    return torch._C._functorch.is_legacy_batchedtensor(x)  # noqa: SLF001


def _differentiate(
    xp: Any,
    formula: Any,
    dtype: DType,
    arrays: Sequence[Tensor],
    whole: Sequence[Any],
    needed: Sequence[bool],
    upstream: Sequence[Tensor],
) -> list[Any]:
    """Gradients as autograd finds them in the plain expression, where they are to be differentiated or mapped."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        # views, from which no way leads to another argument, of which it may have been made
        own = [x.view_as(x) if need else x for x, need in zip((*arrays, *whole), needed, strict=True)]
        totals = formula.sums(xp, *blocks.parts(xp, dtype, own[: len(arrays)], ...), *own[len(arrays) :])
    sources = [x for x, need in zip(own, needed, strict=True) if need]
    moving = [(x, u) for x, u in zip(totals, upstream, strict=True) if x.requires_grad]  # a count does not
    totals, upstream = zip(*moving, strict=True)
    gradients = iter(torch.autograd.grad(totals, sources, upstream, create_graph=again, allow_unused=True))
    return [next(gradients) if need else None for need in needed]


def run(function: Callable[[Any], Any], cuts: Sequence[Any]) -> list[Any]:
    """The function of each cut, by workers that share them out: one that lost its core takes fewer."""
    threads, inference = torch.get_num_threads(), torch.is_inference_mode_enabled()
    results: list[Any] = [None] * len(cuts)
    order = itertools.count()

    def work() -> None:
        outside, _thread.in_block = _thread.in_block, True
        try:
            with torch.inference_mode(inference), torch.no_grad():  # modes are of a thread
                while (k := next(order)) < len(cuts):
                    results[k] = function(cuts[k])
        finally:
            _thread.in_block = outside

    futures: list[Future[None]] = []
    if threads > 1:
        with suppress(RuntimeError):  # no thread can be started, or the interpreter is about to end
            futures.extend(_get_pool(threads).submit(work) for _ in range(threads))
    if not futures:
        work()
    for future in futures:
        future.result()
    return results


class _ThreadState(threading.local):
    """Whether this thread is evaluating a block."""

    in_block = False


_thread = _ThreadState()


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

            def use_one_thread() -> None:
                torch.get_num_threads()  # takes the count of the process, which would else come later
                torch.set_num_threads(1)
                with suppress(threading.BrokenBarrierError):
                    ready.wait()

            pool = ThreadPoolExecutor(threads, "anomaly_kernels", use_one_thread)
            try:
                for _ in range(threads):
                    pool.submit(int)
                ready.wait()
            finally:
                ready.abort()  # where one could not be started, the others wait in vain
                torch.set_num_threads(threads)  # new threads of others take what was set last
            _Workers.pool, _Workers.threads = pool, threads
        return _Workers.pool


def _forget_pool() -> None:
    _Workers.pool, _Workers.lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_pool)
