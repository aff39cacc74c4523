"""How each library is used: its arrays, its names in plain formulas, and the ways in which its users run a loss.

A target is a library, on the CPU, or a library and a device: `torch`, `torch-cuda`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from shutil import which
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]
Inputs = dict[str, Any]
Run = Callable[[], tuple[Any, Any]]
"""Gives the value, and the gradient or None, when they are there and not only asked for."""

CPU, CUDA = ("numpy", "torch", "jax", "tensorflow"), ("torch-cuda", "jax-cuda", "cupy")


class Way(NamedTuple):
    """A way of running a function; what `make` makes of it and its inputs is timed."""

    name: str
    make: Callable[[Function, Inputs, str], Run]
    gradient: bool = False
    slow: bool = False
    """Whether it compiles for seconds, or is not how the library is meant to be used: large inputs, few cases."""


def library_of(target: str) -> str:
    """The library of a target."""
    return target.partition("-")[0]


def gpu() -> str:
    """The name of the GPU, empty where there is none."""
    if which("nvidia-smi") is None:
        return ""
    asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.partition("\n")[0].strip()


def targets() -> list[str]:
    """What can be measured here."""
    return [name for name in CPU + CUDA * bool(gpu()) if find_spec(library_of(name))]


def environment(target: str) -> dict[str, str]:
    """Variables of the process that measures a target."""
    library = library_of(target)
    # More threads for JAX than two cores would have: of two, jaxlib 0.10's triangular solves in the plain gradient of a
    # mixture can each hold one and wait for another for ever. Ours is made so that it cannot.
    variables = {"TF_CPP_MIN_LOG_LEVEL": "3", "NPROC": str(max(16, os.cpu_count() or 1))}
    variables["JAX_PLATFORMS"] = "cuda" if target == "jax-cuda" else "cpu"
    return variables | ({"KERAS_BACKEND": library} if library in {"torch", "jax", "tensorflow"} else {})


def array_of(target: str) -> Callable[[np.ndarray], Any]:
    """What makes an array of the target from one of NumPy."""
    library = library_of(target)
    if library == "torch":
        return partial(import_module("torch").as_tensor, device="cuda" if target == "torch-cuda" else "cpu")
    return import_module("tensorflow").constant if library == "tensorflow" else names_of(library).asarray


def to_numpy(x: Any) -> np.ndarray:
    """An array of any library as one of NumPy."""
    return np.asarray(x.cpu() if type(x).__module__ == "torch" else x)


def names_of(library: str) -> Any:
    """What `xp` is in a plain formula."""
    if library == "tensorflow":
        return _tensorflow_names()
    return import_module({"jax": "jax.numpy"}.get(library, library))


def _tensorflow_names() -> SimpleNamespace:
    tf = import_module("tensorflow")
    tf.get_logger().setLevel("ERROR")  # it warns of functions made in a loop, which is what a benchmark does

    def clip(x: Any, low: float, high: float | None) -> Any:
        return tf.maximum(x, low) if high is None else tf.clip_by_value(x, low, high)

    same = {name: getattr(tf, name) for name in ("exp", "maximum", "argsort", "cumsum", "einsum", "eye", "linalg")}
    return SimpleNamespace(
        mean=tf.reduce_mean,
        sum=tf.reduce_sum,
        amax=tf.reduce_max,
        log=tf.math.log,
        log1p=tf.math.log1p,
        clip=clip,
        take=tf.gather,
        **same,
    )


def ways(library: str) -> list[Way]:
    """How the library's users run a loss, the most usual way first."""
    if library == "torch":
        return [
            Way("eager", _called),
            Way("eager, gradient", _torch_gradient, gradient=True),
            Way("compile", _torch_compiled(_called), slow=True),
            Way("compile, gradient", _torch_compiled(_torch_gradient), gradient=True, slow=True),
        ]
    if library == "jax":
        return [
            Way("jit", _jax_jit),
            Way("jit, gradient", _jax_gradient, gradient=True),
            Way("eager", _jax_eager, slow=True),
        ]
    if library == "tensorflow":
        return [
            Way("function", _tensorflow(gradient=False, xla=False)),
            Way("function, gradient", _tensorflow(gradient=True, xla=False), gradient=True),
            Way("XLA", _tensorflow(gradient=False, xla=True), slow=True),
            Way("XLA, gradient", _tensorflow(gradient=True, xla=True), gradient=True, slow=True),
        ]
    return [Way("call", _called)]


def _called(f: Function, inputs: Inputs, wrt: str) -> Run:
    return lambda: (float(f(**inputs)), None)  # to read a number waits for it, on a GPU too


def _torch_gradient(f: Function, inputs: Inputs, wrt: str) -> Run:
    torch = import_module("torch")
    leaf = inputs[wrt].detach().requires_grad_()
    inputs = inputs | {wrt: leaf}

    def run() -> tuple[Any, Any]:
        value = f(**inputs)
        (slope,) = torch.autograd.grad(value, leaf)
        return float(value.detach()), slope

    return run


def _torch_compiled(make: Callable[[Function, Inputs, str], Run]) -> Callable[[Function, Inputs, str], Run]:
    def make_compiled(f: Function, inputs: Inputs, wrt: str) -> Run:
        torch = import_module("torch")

        def wrapped(**inputs: Any) -> Any:
            return f(**inputs)

        torch.compiler.reset()  # shapes are new: to compile for any shape is not what the first one gets
        # Dynamo keeps what it compiles by code object: of a shared one, each candidate would try those before it
        wrapped.__code__ = wrapped.__code__.replace(co_name=f"wrapped_{id(f)}")
        return make(torch.compile(wrapped), inputs, wrt)

    return make_compiled


def _jax_eager(f: Function, inputs: Inputs, wrt: str) -> Run:
    return lambda: (f(**inputs).block_until_ready(), None)


def _jax_jit(f: Function, inputs: Inputs, wrt: str) -> Run:
    compiled = import_module("jax").jit(lambda inputs: f(**inputs))
    return lambda: (compiled(inputs).block_until_ready(), None)


def _jax_gradient(f: Function, inputs: Inputs, wrt: str) -> Run:
    jax = import_module("jax")
    compiled = jax.jit(jax.value_and_grad(lambda leaf, rest: f(**rest, **{wrt: leaf})))
    rest = {name: x for name, x in inputs.items() if name != wrt}
    return lambda: jax.block_until_ready(compiled(inputs[wrt], rest))


def _tensorflow(*, gradient: bool, xla: bool) -> Callable[[Function, Inputs, str], Run]:
    def make(f: Function, inputs: Inputs, wrt: str) -> Run:
        tf = import_module("tensorflow")

        def both(inputs: Inputs) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                tape.watch(inputs[wrt])
                value = f(**inputs)
            return value, tape.gradient(value, inputs[wrt])

        compiled = tf.function(both if gradient else lambda inputs: (f(**inputs), None), jit_compile=xla or None)

        def run() -> tuple[Any, Any]:
            value, slope = compiled(inputs)
            return float(value), slope

        return run

    return make
