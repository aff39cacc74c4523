"""The support page: what of each kernel passes its checks in each library, and why the rest does not apply."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels.testing.contract import CHECKS, support_matrix

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # which say what they leave to other libraries

from elsewhere import IN_OTHER_LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

NEVER_RUN = {"cupy"}
NARROW_SPACE = "\u202f"  # at which no line is broken
NAMES = {
    "numpy": "NumPy",
    "torch": "torch",
    "jax": "JAX",
    "tensorflow": "TensorFlow",
    "dask": "Dask",
    "array_api_strict": "strict",
}
Missing = dict[tuple[str, str], dict[str, str]]
"""By library and kernel: the reasons why checks do not apply, by the name of the check."""


class Mark(NamedTuple):
    """A sign in the table, what it stands for, and the checks of which one is enough."""

    sign: str
    meaning: str
    checks: tuple[str, ...]


MARKS = (
    Mark("v", "values, in float64 and float32", ("values",)),
    Mark("g", "gradients: the library's own, or those of `value_and_grad`", ("gradients", "value_and_grad")),
    Mark("g²", "second derivatives", ("second_derivatives",)),
    Mark("c", "compiled: `torch.compile`, `jax.jit`, `tf.function` with XLA", ("jit",)),
    Mark("m", "`vmap`, of gradients too where there are any", ("vmap",)),
    Mark("h", "half precision in, float32 out", ("half",)),
    Mark("b", "traced once with a batch size that is not known", ("unknown_batch",)),
    Mark("l", "lazy: building the graph computes nothing", ("lazy",)),
)


def headline(documented: ModuleType | Callable[..., object]) -> str:
    """The first line of a docstring, without its full stop."""
    return (inspect.getdoc(documented) or documented.__name__).splitlines()[0].rstrip(".")


def page() -> str:
    """The legend, a table for each group of kernels, the notes, and the checks that hold everywhere."""
    missing = {(row.library, row.kernel): row.missing for row in support_matrix() if row.library not in NEVER_RUN}
    numbers: dict[str, int] = {}
    tables = "".join(of_groups(missing, numbers))
    text = "# Support\n\n" + INTRODUCTION
    text += "".join(f"- **{mark.sign}** {mark.meaning}\n" for mark in MARKS) + AFTER_THE_LEGEND + tables
    text += "## Notes\n\n"
    text += "".join(f"(support-note-{n})=\n{n}. {reason[0].upper()}{reason[1:]}.\n" for reason, n in numbers.items())
    text += f"\nIn parentheses, shown by other libraries:\n\n{''.join(of_other_libraries())}"
    return text + "\n## The other checks\n\n" + the_other_checks(missing)


INTRODUCTION = """What passes the tests, function by function and library by library. The tests skip by the same table
that this page is made from: a sign is there because the check is run, and passes, in that library.

"""
AFTER_THE_LEGEND = """
A sign that no function of a library has is one that the library cannot do: NumPy compiles nothing. A sign that one
function lacks has a number in the last column, and a reason in the [notes](#notes). A sign in parentheses is checked
of every function in other libraries, and of some in this one. CuPy has no column: the code for it has never been run.
The column "strict" is array-api-strict, which has the functions of the standard and no others.

The same check of your own function is {func}`~anomaly_kernels.testing.check_loss`. Remake this page with
`make docs`, and run what it says with `make test`.

"""


def of_groups(missing: Missing, numbers: dict[str, int]) -> Iterator[str]:
    """A table for each file of kernels, under its first line."""
    homes: dict[str, list[str]] = {}
    for entry in CATALOGUE:
        homes.setdefault(entry.kernel.__module__, []).append(entry.name)
    package = ""
    for home, kernels in homes.items():
        if (part := home.split(".")[1]) != package:
            package = part
            yield f"## {package.capitalize()}\n\n"
        yield f"**{headline(sys.modules[home])}**\n\n"
        yield f"| function | {' | '.join(NAMES.values())} | notes |\n|---|{'---|' * len(NAMES)}---|\n"
        for kernel in kernels:
            cells = [signs(missing[library, kernel], library) for library in NAMES]
            notes = ", ".join(f"[{n}](#support-note-{n})" for n in sorted(set(notes_of(missing, kernel, numbers))))
            yield f"| {{func}}`~anomaly_kernels.{kernel}` | {' | '.join(cells)} | {notes} |\n"
        yield "\n"


def signs(missing: Mapping[str, str], library: str) -> str:
    """What passes of one kernel in one library."""
    elsewhere = IN_OTHER_LIBRARIES.get(library, {})
    made = {mark.sign: [check for check in mark.checks if check not in missing] for mark in MARKS}
    found = (f"({sign})" if elsewhere.keys() >= set(checks) else sign for sign, checks in made.items() if checks)
    return NARROW_SPACE.join(found)


def notes_of(missing: Missing, kernel: str, numbers: dict[str, int]) -> Iterator[int]:
    """The numbers of the reasons why a kernel lacks a sign that others have in the same library."""
    for library in NAMES:
        for mark in MARKS:
            reasons = [missing[library, kernel].get(check) for check in mark.checks]
            own = [reason for reason in reasons if reason is not None and not reason.startswith(f"{library} ")]
            if own and None not in reasons:
                yield numbers.setdefault(own[0], len(numbers) + 1)


def of_other_libraries() -> Iterator[str]:
    """Why some checks are not made of every kernel in a library."""
    for library, reasons in IN_OTHER_LIBRARIES.items():
        for reason in dict.fromkeys(reasons.values()):
            checks = ", ".join(f"`{check}`" for check, why in reasons.items() if why == reason)
            yield f"- {NAMES[library]}, {checks}: {reason}.\n"


def the_other_checks(missing: Missing) -> str:
    """Checks of inputs, dtypes, edges and errors: which libraries they are made in, and where they do not apply."""
    shown = {check for mark in MARKS for check in mark.checks}
    rest = [check for check in CHECKS if check not in shown and check != "vmap_gradients"]
    kernels = [entry.name for entry in CATALOGUE]
    lacks = {at: {check for check in rest if all(check in missing[at, k] for k in kernels)} for at in NAMES}
    text = "Every function passes these too, except where the last column says why it does not apply.\n\n"
    text += f"| check | {' | '.join(NAMES.values())} | does not apply to |\n|---|{':-:|' * len(NAMES)}---|\n"
    for check in rest:
        marks = [
            "–" if check in lacks[at] else "(✓)" if check in IN_OTHER_LIBRARIES.get(at, {}) else "✓" for at in NAMES
        ]
        text += f"| **{check}** {headline(CHECKS[check])}. | {' | '.join(marks)} | {exceptions(missing, check)} |\n"
    return text + "\n– means that the library cannot do it, or does it in one way only.\n"


def exceptions(missing: Missing, check: str) -> str:
    """The kernels to which a check does not apply in any library, with the reason."""
    by_reason: dict[str, dict[str, None]] = {}
    for (library, kernel), reasons in missing.items():
        reason = reasons.get(check, library)
        if not reason.startswith(library):
            by_reason.setdefault(reason, {})[kernel] = None
    told = (
        f"{', '.join(f'`{kernel}`' for kernel in kernels) if len(kernels) < 4 else f'{len(kernels)} metrics'}: {reason}"
        for reason, kernels in by_reason.items()
    )
    return "; ".join(told)
