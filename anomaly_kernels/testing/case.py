"""A case: one function, its NumPy inputs and one library, on which every check of the contract runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.tape.gradient import value_and_grad
from anomaly_kernels.testing.arguments import array_arguments
from anomaly_kernels.testing.drivers import Driver
from anomaly_kernels.testing.support import does_not_apply
from anomaly_kernels.testing.trees import Arrays, flatten, rebuild

Values = dict[str, np.ndarray]
NUMPY = Driver()

# Kernels whose result is the difference of larger terms, and the size of these, a number or that of the inputs:
# rounding is relative to them, and changed inputs may change both terms alike.
CANCELLING: dict[str, float | Literal["inputs"]] = {
    "distinctness_loss": 1.0,  # the mean cosine of the pairs, from sums over all
    "supcon_loss": 10.0,  # similarities over the temperature
    "triplet_margin_loss": "inputs",  # distances
    "adversarial_ae_loss": 0.05,  # the divergence of two outputs of a model, which it has rounded
}


@dataclass(frozen=True)
class Case:
    """A function with NumPy inputs and settings, to be run with the arrays of one library.

    Attributes
    ----------
    function : callable
        Takes the inputs and the settings by name, returns an array or a tree of arrays.
    inputs : mapping
        NumPy arrays (or dicts and tuples of them) by argument name.
    driver : Driver
        The library to run it with.
    settings : mapping
        Everything else the function is called with.
    kinds : mapping
        Which values arguments of other names than this library's may have, as `ARGUMENTS` says it of those.
    """

    function: Callable[..., Any]
    inputs: Mapping[str, Any]
    driver: Driver
    settings: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    _shared: dict[Any, Any] = field(default_factory=dict, repr=False)  # between a case and those made from it

    @property
    def name(self) -> str:
        """The function's name, as messages show it."""
        return getattr(self.function, "__name__", repr(self.function))

    def does_not_apply(self, check: str) -> str | None:
        """Give the reason why a check does not apply, None if it does."""
        kernel = KERNELS.get(self.name)
        own = kernel is not None and inspect.unwrap(self.function) is inspect.unwrap(kernel)
        return does_not_apply(check, self.name if own else "", self.driver.name)

    @cached_property
    def leaves(self) -> Values:
        """The inputs as one flat dict; floats in float64."""
        leaves = {path: np.asarray(x) for name, tree in self.inputs.items() for path, x in flatten(tree, name).items()}
        return {path: x.astype(np.float64) if x.dtype.kind == "f" else x for path, x in leaves.items()}

    @property
    def floats(self) -> list[str]:
        """Names of the leaves that hold floats: those that can be differentiated."""
        return [name for name, x in self.leaves.items() if x.dtype.kind == "f"]

    @property
    def positional(self) -> list[str]:
        """Names of the inputs that may be given by position: the arrays, not the settings that happen to be arrays."""
        return [name for name in array_arguments(self.function) if name in self.inputs]

    def float_leaves(self, argument: str) -> list[str]:
        """Names of the leaves of one argument that hold floats."""
        return [name for name in self.floats if name == argument or name.startswith(f"{argument}.")]

    @property
    def batched(self) -> list[str]:
        """Names of the inputs whose first axis is the batch: as long as the first axis of the first array."""
        plain = {name: self.leaves[name] for name in self.inputs if name in self.leaves}
        lengths = [x.shape[0] for x in plain.values() if x.ndim]
        return [name for name, x in plain.items() if x.ndim and x.shape[0] == lengths[0]]

    def with_leaves(self, leaves: Mapping[str, np.ndarray]) -> Case:
        """Return the same case with some leaves replaced."""
        return replace(self, inputs=self.trees({**self.leaves, **leaves}))

    def with_settings(self, **settings: Any) -> Case:
        """Return the same case with some settings replaced."""
        return replace(self, settings={**self.settings, **settings}, _shared={})

    def rounded(self, dtype: str) -> Case:
        """Return the same case with inputs that the dtype holds exactly, so that it is not blamed for rounding them."""
        return self.with_leaves({k: self.driver.numpy(self.driver.array(self.leaves[k], dtype)) for k in self.floats})

    def arrays(self, dtype: str = "float64") -> dict[str, Any]:
        """Make the leaves arrays of the library."""
        return {name: self.driver.array(x, dtype) for name, x in self.leaves.items()}

    def call(self, arrays: Arrays) -> Any:
        """Call the function with leaves of any library."""
        return self.function(**self.trees(arrays), **self.settings)

    def trees(self, leaves: Arrays) -> dict[str, Any]:
        """Put leaves back into the inputs they came from."""
        return {name: rebuild(tree, leaves, name) for name, tree in self.inputs.items()}

    def read(self, result: Any) -> Values:
        """Read a result back as NumPy, flat."""
        return {path: self.driver.numpy(x) for path, x in flatten(result).items()}

    def read_leaves(self, arrays: Arrays) -> Values:
        """Read arrays by leaf name back as NumPy."""
        return {name: self.driver.numpy(x) for name, x in arrays.items()}

    def run(self, dtype: str = "float64") -> Values:
        """Evaluate with the library, in the dtype."""
        return self.read(self.evaluate(self.arrays(dtype)))

    def evaluate(self, arrays: Arrays) -> Any:
        """Call the function with leaves of the library as its users do: JAX's compile."""
        if "jit" in self.driver.can and self.does_not_apply("jit"):
            return self.call(arrays)
        return self.driver.evaluator(self._once("call", self.call))(arrays)

    @cached_property
    def expected(self) -> Values:
        """What NumPy gives in float64."""
        with np.errstate(all="ignore"):
            return {path: np.asarray(x) for path, x in flatten(self.call(self.leaves)).items()}

    @cached_property
    def spread(self) -> Values:
        """How far the result changes, relative to a relative change of the inputs: what rounding can do to it."""
        rng, step = np.random.default_rng(0), 2.0**-24
        size = CANCELLING.get(self.name, 0.0)
        size = max(np.abs(self.leaves[k]).max(initial=0.0) for k in self.floats) if size == "inputs" else size
        least = np.abs(self.settings.get("weight", 1.0)) * size
        spread = {path: np.full(x.shape, least) for path, x in self.expected.items()}
        for _ in range(2):
            noise = {k: self.leaves[k] * (1 + step * rng.uniform(-1, 1, self.leaves[k].shape)) for k in self.floats}
            for path, x in self.with_leaves(noise).expected.items():
                if x.shape == spread[path].shape:  # a curve may have more or fewer points than before
                    with np.errstate(all="ignore"):
                        change = np.abs(x - self.expected[path].astype(np.float64))
                        spread[path] = np.maximum(spread[path], change / step)
        return spread

    def total(self, result: Any, driver: Driver | None = None) -> Any:
        """Sum all floats of a result with unequal weights, so that errors do not cancel: what is differentiated."""
        driver = driver or self.driver
        terms = []
        for k, (path, x) in enumerate(flatten(result).items()):
            expected = self.expected[path]
            if expected.dtype.kind == "f":
                weights = 1 + 0.5 * np.cos(np.arange(expected.size) + k).reshape(expected.shape)
                terms.append(array_namespace(x).sum(x * driver.array(weights, driver.dtype_name(x))))
        return sum(terms[1:], terms[0])

    @property
    def summed(self) -> Callable[[Arrays], Any]:
        """The weighted sum as a function of the leaves."""
        return self._once("summed", lambda arrays: self.total(self.call(arrays)))

    def differentiated(self, dtype: str = "float64") -> tuple[np.ndarray, Values]:
        """Return the weighted sum of the results and its gradient in every leaf that holds floats, by the library."""
        value, gradient = self.driver.value_and_grad(self.summed, self.arrays(dtype), self.floats)
        return self.driver.numpy(value), self.read_leaves(gradient)

    def gradient(self, dtype: str = "float64") -> Values:
        """Return the library's gradient of the weighted sum of the results."""
        return self.differentiated(dtype)[1]

    def followed(self, dtype: str = "float64") -> tuple[np.ndarray, Values]:
        """Return the weighted sum of the results and its gradient, by `value_and_grad` of this library."""

        def both(arrays: Arrays) -> Any:
            leaves = {name: arrays[name] for name in self.floats}
            return value_and_grad(lambda leaves: self.summed({**arrays, **leaves}))(leaves)

        value, gradient = self.driver.evaluator(both)(self.arrays(dtype))
        return self.driver.numpy(value), self.read_leaves(gradient)

    def _once(self, what: str, function: Callable[[Arrays], Any]) -> Callable[[Arrays], Any]:
        """Keep one function object for all leaves of the same shapes, so that it is compiled once."""
        shapes = tuple(sorted((name, x.shape) for name, x in self.leaves.items()))  # drawn ones come in any order
        key = (what, self.function, self.driver, id(self.settings), shapes)
        return self._shared.setdefault(key, function)  # type: ignore[no-any-return]

    def reference_total(self, leaves: Mapping[str, np.ndarray]) -> float:
        """Evaluate the weighted sum with NumPy at other leaves."""
        with np.errstate(all="ignore"):
            return float(self.total(self.call({**self.leaves, **leaves}), NUMPY))

    def direction(self, name: str, seed: int) -> np.ndarray:
        """Draw a direction to differentiate along: it keeps zeros and symmetry, which mark structure."""
        x = self.leaves[name]
        rng = np.random.default_rng([seed, list(self.leaves).index(name)])  # x and y that move as one hide x - y
        v: np.ndarray = rng.uniform(-1, 1, x.shape) * (x != 0)
        symmetric = x.ndim > 1 and x.shape[-1] == x.shape[-2] and np.array_equal(x, np.swapaxes(x, -1, -2))
        return (v + np.swapaxes(v, -1, -2)) / 2 if symmetric else v
