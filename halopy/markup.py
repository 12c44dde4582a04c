"""What notebooks and files are shown in common: a titled block of HTML that stands alone, without scripts."""

from __future__ import annotations

from html import escape


def block(title: str, body: str) -> str:
    """A block under its title, which is escaped; the body is HTML."""
    return f'<div style="font-family:monospace"><div><b>{escape(title)}</b></div>{body}</div>'


def complaint(text: str) -> str:
    """Why something cannot be shown, or is wrong."""
    return f'<pre style="color:#a00">{escape(text)}</pre>'


def page(title: str, body: str) -> str:
    """A whole file."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>\n<body>{body}</body></html>\n"
    )
