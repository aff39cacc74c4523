"""The namespace of followed arrays: its functions record how each result is computed, by their rules."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any, cast

from anomaly_kernels._core.backends.generic import STANDARD, Generic, mean_or_sum
from anomaly_kernels._core.namespace import follow
from anomaly_kernels._core.tape.arrays import Followed, Joint, Node, Part, Shape
from anomaly_kernels._core.tape.rules import OPERATORS, RULES, WITHOUT_SLOPE, is_float, same
from anomaly_kernels._core.typing import DType, Namespace


class Tape(Generic):
    """The namespace of followed arrays, on a base: functions with a rule are recorded, the others pass values on."""

    def __init__(self, base: Any, root_array_type: type) -> None:
        self.base, self.name = base, base.name
        self.root: Namespace = base.root
        self.level: int = base.level + 1
        self.array = _class_for(self, root_array_type)
        self.recorded = {name: self._recorded(name, evaluate) for name, evaluate in OPERATORS.items()}
        self._standard: Any = self
        for name in STANDARD:
            if name not in vars(Tape):
                setattr(self, name, self._function(name, getattr(base, name)))

    def __repr__(self) -> str:
        return f"<namespace of {self.name}, followed>"

    def leaf(self, x: Any) -> Any:
        """An array to start from."""
        return self.array(x, Node(tuple(x.shape), x.dtype, ()))

    def owns(self, x: Any) -> bool:
        """Whether x is followed here, or by a tape that lies on this one."""
        return isinstance(x, Followed) and x.level >= self.level

    def plain(self, x: Any) -> Any:
        """The array of the base."""
        while self.owns(x):
            x = x.value
        return x

    def _function(self, name: str, evaluate: Any) -> Any:
        if name in WITHOUT_SLOPE:
            return lambda *inputs, **settings: evaluate(
                *map(self.plain, inputs), **{key: self.plain(x) for key, x in settings.items()}
            )
        if name in ("concat", "stack"):
            recorded = self._recorded(name, lambda *arrays, **settings: evaluate(list(arrays), **settings))
            self.recorded[name] = recorded
            return lambda arrays, /, **settings: recorded(*arrays, **settings)
        if name in RULES:
            self.recorded[name] = self._recorded(name, evaluate)
            return self.recorded[name]
        return self._unruled(name, evaluate) if callable(getattr(Namespace, name, None)) else evaluate

    def _recorded(self, name: str, evaluate: Callable[..., Any]) -> Callable[..., Any]:
        """A function with a rule."""
        rule, base, kind, level = RULES[name], self.base, self.array, self.level

        def function(*inputs: Any, **settings: Any) -> Any:
            followed, values = False, []
            for x in inputs:
                if type(x) is kind:
                    followed = True
                    values.append(x.value)
                elif isinstance(x, Followed) and x.level > level:
                    return x.tape.recorded[name](*inputs, **settings)
                else:
                    values.append(x)
            y = evaluate(*values, **settings)
            slopes = rule(base, y, *values, **settings) if followed else None
            if slopes is None:
                return y
            edges = [(x.node, slope) for x, slope in zip(inputs, slopes, strict=False) if type(x) is kind and slope]
            return kind(y, Node(y.shape, y.dtype, edges))

        return function

    def _unruled(self, name: str, evaluate: Callable[..., Any]) -> Callable[..., Any]:
        """A function without a rule: its generic form, written with other functions of the namespace, if it has one."""
        form = vars(Generic).get(name)

        def function(*inputs: Any, **settings: Any) -> Any:
            if not any(callable(x) or self.owns(x) for x in inputs):
                return evaluate(*inputs, **settings)
            if form is None:
                raise TypeError(f"`value_and_grad` has no rule for `{name}`")
            return form(self, *inputs, **settings)

        return function

    def constant(self, values: Any, *, like: Any, dtype: DType) -> Any:
        if self.owns(values):
            return self._standard.astype(values, dtype)
        return self.base.constant(values, like=self.plain(like), dtype=dtype)

    def is_lean(self, *arrays: Any) -> bool:
        return not any(map(self.owns, arrays)) and self.base.is_lean(*arrays)

    def scattered(self, shape: Shape, dtype: DType, parts: Sequence[tuple[Any, Any]]) -> Any:
        values = self.base.scattered(shape, dtype, [Part(key, self.plain(g)) for key, g in parts])
        edges = [(g.node, operator.itemgetter(key)) for key, g in parts if self.owns(g)]
        return self.array(values, Node(shape, dtype, edges)) if edges else values

    evaluate = Generic.evaluate

    def reduce(self, how: str, formula: Any, dtype: DType, arrays: Sequence[Any], whole: Sequence[Any]) -> Any:
        if formula.slopes is None:
            return super().reduce(how, formula, dtype, arrays, whole)
        (total,) = self.add_up(formula, dtype, arrays, whole)
        return mean_or_sum(how, total, formula, arrays[0].shape)

    def add_up(self, formula: Any, dtype: DType, arrays: Sequence[Any], whole: Sequence[Any]) -> tuple[Any, ...]:
        if formula.slopes is None:
            return super().add_up(formula, dtype, arrays, whole)
        count, needed = len(arrays), [self.owns(x) for x in (*arrays, *whole)]

        def evaluate(base: Any, *values: Any) -> tuple[Any, ...]:
            return cast(tuple[Any, ...], base.add_up(formula, dtype, values[:count], values[count:]))

        def slopes(base: Any, upstream: Sequence[Any], *values: Any) -> list[Any]:
            gradients = base.differentiate(formula, dtype, values[:count], values[count:], needed, upstream)
            return [None if g is None else partial(same, g) for g in gradients]

        return self.summed(evaluate, slopes, (*arrays, *whole))

    def summed(
        self, evaluate: Callable[..., tuple[Any, ...]], slopes: Callable[..., Any], arrays: Sequence[Any]
    ) -> tuple[Any, ...]:
        """Several results at once, of which the slopes are written by hand.

        `evaluate(base, *arrays)` gives the results in the base. `slopes(base, upstream, *arrays)` gives, for each of
        the arrays, None or a function of nothing: its gradient, where `upstream` holds those of the results. They are
        asked for in the sweep, and only those of arrays that are followed are evaluated. Settings that may be followed
        are to be among the arrays.
        """
        kind = self.array
        top = max((x for x in arrays if self.owns(x)), key=lambda x: x.level, default=None)
        if top is None:
            return evaluate(self.base, *arrays)
        if top.level > self.level:
            return cast(tuple[Any, ...], top.tape.summed(evaluate, slopes, arrays))
        sources = [x.node if type(x) is kind else None for x in arrays]
        values = [x.value if type(x) is kind else x for x in arrays]
        results = evaluate(self.base, *values)
        if any(map(self.owns, results)):
            raise TypeError("sums with slopes of their own depend on a followed array that is not among theirs")
        joint = Joint(sources, values, slopes, results)
        nodes = [Node(y.shape, y.dtype, [(joint, partial(Part, k))]) for k, y in enumerate(results)]
        return tuple(kind(y, node) if is_float(self.base, y) else y for y, node in zip(results, nodes, strict=True))


def _class_for(tape: Tape, root_array_type: type) -> type[Followed]:
    """The class of a tape's arrays."""
    members = {"tape": tape, "level": tape.level}
    try:
        # The operators of a library written in Python may refuse what they do not know on their right, but a subclass
        # of their own class is asked first.
        members = {**members, "__new__": lambda kind, *_: object.__new__(kind)}
        kind = type("Followed", (Followed, root_array_type), members)
        kind(None, None)
    except TypeError:  # written in C
        kind = type("Followed", (Followed,), {**members, "__slots__": ("node", "value")})
    follow(kind, cast(Namespace, tape))
    return kind


_TAPES: dict[Namespace, Tape] = {}
_LOCK = Lock()


def tape_on(base: Namespace, x: Any) -> Tape:
    """The tape on a base: one for each level, so that the classes of arrays are few."""
    if base not in _TAPES:
        while isinstance(x, Followed):
            x = x.value
        with _LOCK:
            if base not in _TAPES:
                _TAPES[base] = Tape(base, type(x))
    return _TAPES[base]
