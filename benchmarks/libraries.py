"""How each library is used: its names for plain formulas, its own losses, and its ways of running a function."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from anomaly_kernels.testing.drivers import driver_for

Run = Callable[[], Any]
Function = Callable[..., Any]

LIBRARIES = ("numpy", "torch", "jax", "tensorflow")
MODULES = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "tensorflow": "tensorflow.experimental.numpy"}


def module_of(library: str) -> Any:
    """What `xp` is in a plain formula."""
    return import_module(MODULES[library])


def native(library: str, name: str) -> Function | None:
    """The library's own operation of that name, None if it has none."""
    if library == "torch":
        return _torch_natives().get(name)
    return _keras_natives().get(name) if library == "tensorflow" else None


def _torch_natives() -> dict[str, Function]:
    import torch
    from torch.nn import functional as F

    one = torch.ones(())
    return {
        "mse": lambda x_true, x_pred: F.mse_loss(x_pred, x_true),
        "bce": lambda target, logit: F.binary_cross_entropy_with_logits(logit, target),
        "kl": lambda p_true, p_pred: F.kl_div(p_pred.log(), p_true, reduction="batchmean"),
        "gaussian_nll": lambda y_true, y_pred: F.gaussian_nll_loss(y_pred, y_true, one.expand_as(y_pred), full=True),
    }


def _keras_natives() -> dict[str, Function]:
    from keras import losses

    mse, bce, kl = losses.MeanSquaredError(), losses.BinaryCrossentropy(from_logits=True), losses.KLDivergence()
    # Keras has names of its own for the arguments
    return {
        "mse": lambda x_true, x_pred: mse(y_true=x_true, y_pred=x_pred),
        "bce": lambda target, logit: bce(y_true=target, y_pred=logit),
        "kl": lambda p_true, p_pred: kl(y_true=p_true, y_pred=p_pred),
    }


def ways(library: str) -> dict[str, Callable[[Function, dict[str, Any], str], Run]]:
    """The ways in which the library's users run a loss: each makes of a function and its inputs something to time."""
    return {
        "numpy": {"forward": lambda f, inputs, wrt: lambda: f(**inputs)},
        "torch": {"forward": _torch_forward, "forward + backward": _torch_backward},
        "jax": {"forward": _jax_forward, "forward + backward": _jax_backward},
        "tensorflow": {
            "forward": _tensorflow_forward,
            "forward + backward": _tensorflow_backward,
            "forward, XLA": lambda *given: _tensorflow_compiled(_tensorflow_forward, *given),
            "forward + backward, XLA": lambda *given: _tensorflow_compiled(_tensorflow_backward, *given),
        },
    }[library]


def _torch_forward(f: Function, inputs: dict[str, Any], wrt: str) -> Run:
    return lambda: f(**inputs)


def _torch_backward(f: Function, inputs: dict[str, Any], wrt: str) -> Run:
    leaf = inputs[wrt].detach().requires_grad_()

    def run() -> None:
        leaf.grad = None
        f(**inputs | {wrt: leaf}).backward()

    return run


def _jax_forward(f: Function, inputs: dict[str, Any], wrt: str) -> Run:
    compiled = driver_for("jax").jit(lambda inputs: f(**inputs))
    return lambda: compiled(inputs).block_until_ready()


def _jax_backward(f: Function, inputs: dict[str, Any], wrt: str) -> Run:
    jax = import_module("jax")
    compiled = jax.jit(jax.value_and_grad(lambda leaf, rest: f(**rest, **{wrt: leaf})))
    rest = {name: x for name, x in inputs.items() if name != wrt}
    return lambda: jax.block_until_ready(compiled(inputs[wrt], rest))


def _tensorflow_forward(f: Function, inputs: dict[str, Any], wrt: str) -> Run:
    return lambda: f(**inputs).numpy()


def _tensorflow_backward(f: Function, inputs: dict[str, Any], wrt: str) -> Run:
    tf = import_module("tensorflow")

    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs[wrt])
            value = f(**inputs)
        return tape.gradient(value, inputs[wrt])

    return run


def _tensorflow_compiled(way: Any, f: Function, inputs: dict[str, Any], wrt: str) -> Run:
    tf = import_module("tensorflow")
    if way is _tensorflow_forward:
        compiled = tf.function(lambda inputs: f(**inputs), jit_compile=True)
    else:
        compiled = tf.function(lambda inputs: way(f, inputs, wrt)(), jit_compile=True)
    return lambda: compiled(inputs).numpy()
