"""The backward pass of `value_and_grad`: from a result to the gradients of what it was computed from."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, cast

from anomaly_kernels._core.namespace import in_use
from anomaly_kernels._core.tape.arrays import NUMBERS, Followed, Joint, Node, Part
from anomaly_kernels._core.tape.tape import tape_on
from anomaly_kernels._core.typing import Namespace


class Sweep:
    """From a result back to the leaves: the gradient of each node, as far as it is added up."""

    def __init__(self, base: Any, first: int) -> None:
        self.base, self.first = base, first
        self.gradients: dict[Node, Any] = {}
        self.parts: dict[Node | Joint, list[Part]] = {}
        self.queue: list[tuple[int, Node | Joint]] = []

    def run(self, result: Followed) -> dict[Node, Any]:
        """The gradients of the leaves that the result depends on."""
        leaves = {}
        self.add(result.node, self.base.ones_like(result.value))
        while self.queue:
            node = heapq.heappop(self.queue)[1]  # the latest: nothing that is left can add to it
            if node.number < self.first:
                raise TypeError("an array followed by another call of `value_and_grad`, or in another thread, was used")
            if isinstance(node, Joint):
                for each, g in node.contributions(self.base, self.parts.pop(node)):
                    self.add(each, g)
                node.values = []
                continue
            total = self.pop_gradient(node)
            if not node.edges:
                leaves[node] = total
            for source, slope in node.edges:
                self.add(source, slope(total))
            node.edges = ()  # what slopes hold is needed no more
        return leaves

    def add(self, node: Node | Joint, g: Any) -> None:
        """Take a gradient, or a part of one, into account."""
        if node not in self.gradients and node not in self.parts:
            heapq.heappush(self.queue, (-node.number, node))
        if isinstance(g, Part):
            self.parts.setdefault(node, []).append(g)
        elif isinstance(node, Node):
            g = _fitted(self.base, g, node)
            self.gradients[node] = self.gradients[node] + g if node in self.gradients else g

    def pop_gradient(self, node: Node) -> Any:
        """Take out the gradient of a node, with the parts of it put together."""
        parts, total = self.parts.pop(node, None), self.gradients.pop(node, None)
        if parts is None:
            return total
        scattered = self.base.scattered(node.shape, node.dtype, parts)
        return scattered if total is None else total + scattered


def _fitted(xp: Any, g: Any, node: Node) -> Any:
    """A gradient in the shape and dtype of its node: the one place where what was broadcast is summed."""
    shape = node.shape
    if g.shape != shape:
        new = len(g.shape) - len(shape)
        axes = tuple(k for k, n in enumerate(g.shape) if k < new or (n != 1 and shape[k - new] == 1))
        g = xp.sum(g, axis=axes, keepdims=True) if axes else g
        g = xp.reshape(g, g.shape[new:]) if new > 0 else g
        g = g if g.shape == shape else xp.broadcast_to(g, shape)
    return g if g.dtype == node.dtype else xp.astype(g, node.dtype)


def by_tape(base: Any, function: Callable[[list[Any]], Any], arrays: list[Any]) -> tuple[Any, list[Any]]:
    """The value of a function of a list of arrays, and its gradients."""
    tape, first = tape_on(base, arrays[0]), next(NUMBERS)
    leaves = [tape.leaf(x) for x in arrays]
    with in_use(cast(Namespace, tape)):
        result = function(leaves)
    if isinstance(result, Followed) and result.level > tape.level:
        raise TypeError("`function` must return an array of its own, got one that an inner `value_and_grad` follows")
    if type(result) is not tape.array:
        return result, [base.zeros_like(x) for x in arrays]
    slopes = Sweep(base, first).run(result)
    # copies, since they may be views of each other or of the inputs
    gradients = [base.astype(slopes[x.node], x.dtype) if x.node in slopes else base.zeros_like(x.value) for x in leaves]
    return base.astype(result.value, result.dtype), gradients
