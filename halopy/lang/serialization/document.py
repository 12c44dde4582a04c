"""Documents: UTF-8 JSON with a format's name and version, bounded in size, written to a file whole or not at all."""

from __future__ import annotations

import json
import os
from typing import Any

from ...errors import SerializationError
from ...runtime.write_files import write_file
from ...source import caller
from .malformed import Malformed

Json = Any  # what `json` makes: dicts with text keys, lists, texts, numbers, bools and None
LARGEST = 1 << 30  # bytes


def to_text(format: str, version: int, content: dict[str, Json]) -> str:
    """The document, one line for each of its parts' entries."""
    head = {"format": format, "version": version}
    return "{\n" + ",\n".join(f"{_dump(key)}: {_entries(value)}" for key, value in (head | content).items()) + "\n}\n"


def _entries(value: Json) -> str:
    if not isinstance(value, list) or not value:
        return _dump(value)
    return "[\n" + ",\n".join(map(_dump, value)) + "\n]"


def _dump(value: Json) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def from_text(text: str | bytes, format: str, version: int) -> dict[str, Json]:
    """The content of a document. Raises Malformed for anything that is not of this format and version."""
    if len(text) > LARGEST:
        raise Malformed(f"it is larger than {LARGEST} bytes")
    try:
        content = json.loads(text, parse_constant=_no_number, object_pairs_hook=_distinct)
    except RecursionError:
        raise Malformed("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise Malformed("it is not UTF-8 text") from None
    except ValueError as error:  # of the JSON reader; an integer of too many digits, too
        raise Malformed(f"it is not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != format:
        raise Malformed(f'it does not begin with "format": "{format}"')
    if content.get("version") != version:
        found = str(content.get("version"))[:40]
        raise Malformed(f"its version is {found}, and this halopy reads version {version}")
    return {key: value for key, value in content.items() if key not in ("format", "version")}


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("an object has one key twice")
    return content


def write_document(path: str | os.PathLike[str], text: str) -> None:
    """Write the file so that a reader sees the old or the new one. Raises UserError where that cannot be."""
    write_file(path, text)


def read_document(path: str | os.PathLike[str]) -> bytes:
    """The file's bytes, so far as a document may go. Raises SerializationError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SerializationError(
            f"`{os.fspath(path)!s}` cannot be read", location=caller(), reason=[reason], accepted="an existing file"
        ) from None
