"""The support page: which checks each library passes, and what does not apply to a library or a kernel."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from anomaly_kernels.testing.contract import CHECKS, support_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

NEVER_RUN = {"cupy"}
Missing = dict[tuple[str, str], dict[str, str]]
"""By library and kernel: the reasons why checks do not apply, by the name of the check."""


def headline(documented: ModuleType | Callable[..., object]) -> str:
    """The first line of a docstring, without its full stop."""
    return (inspect.getdoc(documented) or documented.__name__).splitlines()[0].rstrip(".")


def page() -> str:
    """What is checked of every kernel in every library, and what does not apply, with the reason."""
    missing = {(row.library, row.kernel): row.missing for row in support_matrix() if row.library not in NEVER_RUN}
    libraries = list(dict.fromkeys(library for library, _ in missing))
    kernels = list(dict.fromkeys(kernel for _, kernel in missing))
    lacks = {at: {check for check in CHECKS if all(check in missing[at, k] for k in kernels)} for at in libraries}
    text = "# Support\n\nEvery kernel passes these checks in every library, except what is listed below the table.\n"
    text += "CuPy has no column: code for it is there, and it has never been run.\n\n"
    text += f"| check | {' | '.join(libraries)} |\n|---|{':-:|' * len(libraries)}\n"
    for check in CHECKS:
        marks = " | ".join("–" if check in lacks[library] else "✓" for library in libraries)
        text += f"| [{check}](#{check}) | {marks} |\n"
    text += "\n## What does not apply\n\n"
    text += "".join(of_libraries(missing, lacks, kernels[0])) + "".join(of_kernels(missing, lacks, kernels))
    text += "\n## The checks\n\n"
    return text + "\n".join(f"({check})=\n- **{check}**: {headline(CHECKS[check])}." for check in CHECKS)


def of_libraries(missing: Missing, lacks: Mapping[str, set[str]], kernel: str) -> Iterator[str]:
    """A line for each library with the reasons why checks apply to no kernel there."""
    for library, checks in lacks.items():
        reasons = dict.fromkeys(missing[library, kernel][check] for check in CHECKS if check in checks)
        if reasons:
            yield f"- {library} {', '.join(reason.removeprefix(f'{library} ') for reason in reasons)}.\n"


def of_kernels(missing: Missing, lacks: Mapping[str, set[str]], kernels: Sequence[str]) -> Iterator[str]:
    """A line for each kernel with the reasons why checks do not apply to it alone."""
    for kernel in kernels:
        checks: dict[str, dict[str, None]] = {}
        for library in lacks:
            for check, reason in missing[library, kernel].items():
                if check not in lacks[library]:
                    checks.setdefault(reason, {})[check] = None
        if checks:
            told = [f"{reason} (not checked: {', '.join(names)})" for reason, names in checks.items()]
            yield f"- `{kernel}`: {'; '.join(told)}.\n"
