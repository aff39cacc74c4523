"""``anomaly-kernels list``: print every function with its arguments and its formula, turned from LaTeX into text."""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from anomaly_kernels._catalogue import CATALOGUE

_SYMBOL = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)

_SIGNS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Delta": "Δ", "Sigma": "Σ", "Phi": "Φ",
    "sum": "Σ", "prod": "Π", "cdot": "·", "cdots": "…", "ldots": "…", "dots": "…", "times": "×", "odot": "⊙",
    "infty": "∞", "in": "∈", "cap": "∩", "cup": "∪", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "propto": "∝", "sim": "~", "to": "→", "mapsto": "↦", "pm": "±", "top": "T", "mid": "|",
    "Vert": "‖", "lVert": "‖", "rVert": "‖", "|": "‖", "vert": "|", "lvert": "|", "rvert": "|", "lfloor": "⌊",
    "rfloor": "⌋", "langle": "⟨", "rangle": "⟩", "{": "{", "}": "}", "%": "%", "_": "_",
    "mathbb": "", "mathbf": "", "mathcal": "", "mathrm": "", "operatorname": "", "text": "", "left": "", "right": "",
    "bigl": "", "bigr": "", "Bigl": "", "Bigr": "", "displaystyle": "", "!": "",
    ",": " ", ":": " ", ";": " ", " ": " ", "quad": "  ", "qquad": "  ", "\\": "; ",
}  # fmt: skip
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "overline": "\u0304", "tilde": "\u0303"}
_BEFORE, _AFTER = "\x02", "\x03"  # marks around words and sums, which become spaces next to letters and digits
_RAISED = str.maketrans("0123456789+-−Tnk", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ᵀⁿᵏ")


def run() -> int:
    """Print every function; 0, as it cannot fail."""
    for package, entries in groupby(CATALOGUE, key=lambda entry: entry.package):
        print(f"{package.upper()}\n")
        for function in (entry.kernel for entry in entries):
            print(f"{function.__name__}{arguments(function)}\n    {summary(function)}\n    {formula(function)}\n")
    return 0


def arguments(function: Callable[..., Any]) -> str:
    """The arguments and their defaults, without their types."""
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def summary(function: Callable[..., Any]) -> str:
    """The first paragraph of the docstring, on one line."""
    return " ".join(inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0].split())


def formula(function: Callable[..., Any]) -> str:
    """The first ``.. math::`` block of the docstring as one line of text; empty where there is none."""
    block = re.search(r"^\.\. math::(.*(?:\n(?:[ \t]+.*)?)*)", inspect.cleandoc(function.__doc__ or ""), re.MULTILINE)
    return as_text(block[1]) if block else ""


def as_text(latex: str) -> str:
    """Turn LaTeX mathematics into one line of text; a command it does not know keeps its name."""
    text = _group(iter(_SYMBOL.findall(latex)))
    text = re.sub(rf"{_AFTER}\s*{_BEFORE}|(?<=[\w)])\s*{_BEFORE}|{_AFTER}\s*(?=\w)|\s+", " ", text)
    return re.sub(rf"{_BEFORE}|{_AFTER}|(?<=[(\[])\s+|\s+(?=[)\],;])", "", text).strip()


def _group(symbols: Iterator[str]) -> str:
    """Text of the symbols up to the end of the group."""
    return "".join(_symbol(symbol, symbols) for symbol in iter(lambda: next(symbols, "}"), "}"))


def _next_argument(symbols: Iterator[str]) -> str:
    """Text of the next group, or of the next symbol that is not a space."""
    return _symbol(next(symbol for symbol in symbols if not symbol.isspace()), symbols).strip()


def _symbol(symbol: str, symbols: Iterator[str]) -> str:
    """Text of a symbol and of its arguments, which follow it."""
    name = symbol.removeprefix("\\")
    if symbol == "{":
        return _group(symbols)
    if symbol in ("^", "_"):
        return _script(symbol, _next_argument(symbols))
    if name != symbol:
        return _command(name, symbols)
    return " " if symbol in ("&", "~") else symbol


def _command(name: str, symbols: Iterator[str]) -> str:
    if name in ("frac", "tfrac", "dfrac"):
        return f"{_grouped(_next_argument(symbols))}/{_grouped(_next_argument(symbols))}"
    if name == "sqrt":
        return f"√{_grouped(_next_argument(symbols))}"
    if name in _ACCENTS:
        return _accented(_next_argument(symbols), name)
    if name in ("sum", "prod"):
        return _BEFORE + _SIGNS[name]
    return _SIGNS.get(name, f"{_BEFORE}{name}{_AFTER}")


def _script(kind: str, script: str) -> str:
    if kind == "^" and all(c.translate(_RAISED) != c for c in script):
        return script.translate(_RAISED)
    return kind + (script if len(script) == 1 or script.isalnum() else f"({script})")


def _grouped(text: str) -> str:
    return f"({text})" if re.search(r"[\s+\-−/·]", text) else text


def _accented(text: str, name: str) -> str:
    if len(text) == 1:
        return unicodedata.normalize("NFC", text + _ACCENTS[name])
    return f"mean({text})" if name in ("bar", "overline") else f"{name}({text})"
