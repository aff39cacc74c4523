"""Files that may come from anyone: read within bounds, and with one error for what is wrong in them."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MOST_BYTES, MOST_PARTS = 4_000_000, 200_000
"""Of JSON, and of lists and mappings in it: what a busy machine reads in a second."""

_MOST_OF_A_MESSAGE = 500  # characters


class FileError(ValueError):
    """Raised where a file does not hold what is read from it; the message has the path, and says what is wrong.

    A file that cannot be opened is an OSError.
    """

    def __init__(self, message: str = "") -> None:
        printable = str(message).encode(errors="backslashreplace").decode()
        super().__init__(shorten(printable, _MOST_OF_A_MESSAGE))


def shorten(text: str, most: int) -> str:
    """The beginning and the end of a text that is longer than so many characters."""
    tail = most // 4
    return text if len(text) <= most else f"{text[: most - tail - 3]}...{text[-tail:]}"


def read_bytes(path: str | os.PathLike[str], most: int, what: str = "it") -> bytes:
    """What is in a file of no more than so many bytes; pipes and devices, which may never end, are not opened."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))
        with Path(path).open("rb") as file:
            content = file.read(most + 1) if status.st_size <= most else b""
    except ValueError as error:  # a null character, or one that cannot be encoded
        raise FileError(f"{os.fspath(path)!r} is no path: {error}") from error
    if max(status.st_size, len(content)) > most:
        raise FileError(f"{path}: {what} must be no larger than {most} bytes")
    return content


@contextmanager
def reading(path: str | os.PathLike[str], complaint: str) -> Iterator[None]:
    """Raise a FileError for whatever the content of a file makes its reader raise."""
    try:
        yield
    except FileError:
        raise
    except Exception as error:  # a file may hold the settings of any class, whose constructor may raise anything
        raise FileError(f"{path} {complaint}: {str(error) or type(error).__name__}") from error


def parse_json(content: bytes) -> Any:
    """The data of JSON in UTF-8: numbers are finite and no key is there twice; anything else is a ValueError."""
    check_size(content)
    try:
        return json.loads(content.decode(), object_pairs_hook=_without_repetition, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def check_size(content: bytes) -> None:
    """Raise where JSON is larger than `parse_json` reads."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"it must be no larger than {MOST_BYTES} bytes")
    if content.count(b"[") + content.count(b"{") > MOST_PARTS:
        raise ValueError(f"it must have no more than {MOST_PARTS} lists and mappings")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"{shorten(key, 60)!r} is there twice")
        result[key] = value
    return result


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
