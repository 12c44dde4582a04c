"""Texts as C string literals."""

from __future__ import annotations


def c_string(text: str) -> str:
    """A literal with the same bytes in UTF-8; no trigraph, no escape that runs on into what follows."""
    return '"' + "".join(map(_escaped, text.encode("utf-8", errors="backslashreplace"))) + '"'


def c_format(text: str) -> str:
    """A literal that printf prints as `text`."""
    return c_string(text.replace("%", "%%"))


def _escaped(byte: int) -> str:
    character = chr(byte)
    return character if " " <= character <= "~" and character not in '"\\?' else f"\\{byte:03o}"
