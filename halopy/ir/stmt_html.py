"""Statements as a web page: one file, nothing loaded from elsewhere, blocks that fold, text escaped.

for (x, 0, 10) {          <details open><summary>for (x, 0, 10) {</summary> ... </details>}
  out[x] = 1         ->
}
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from .stmt import Stmt

_STYLE = (
    "body{font:14px/1.4 monospace;margin:1em;background:#fff;color:#222}"
    "details{margin-left:0}details>div{margin-left:2ch;border-left:1px solid #ddd;padding-left:1ch}"
    "summary{cursor:pointer;white-space:pre-wrap}summary:hover{background:#f3f3f3}"
    "p{margin:0;white-space:pre-wrap}h1,h2{font-size:1.1em}b{color:#7a1fa2;font-weight:600}"
)
_WORDS = ("for", "parallel", "vectorized", "unrolled", "if", "let", "produce", "realize", "allocate", "assert")


def page(title: str, sections: Sequence[str]) -> str:
    """A whole page from sections."""
    return (
        f"<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>{html.escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body>\n<h1>{html.escape(title)}</h1>\n"
        + "\n".join(sections)
        + "</body></html>\n"
    )


def section(title: str, stmt: Stmt) -> str:
    """One statement under a heading."""
    parts = [f"<h2>{html.escape(title)}</h2>"]
    for line in str(stmt).splitlines():
        text = line.strip()
        if text == "} else {":
            parts.append("</div>}</details><details open><summary><b>else</b> {</summary><div>")
        elif text.endswith("{"):
            parts.append(f"<details open><summary>{_shown(text)}</summary><div>")
        elif text == "}":
            parts.append("</div>}</details>")
        else:
            parts.append(f"<p>{_shown(text)}</p>")
    return "\n".join(parts) + "\n"


def _shown(text: str) -> str:
    word, space, rest = text.partition(" ")
    return f"<b>{word}</b>{space}{html.escape(rest)}" if word in _WORDS else html.escape(text)
