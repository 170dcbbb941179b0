"""Small pieces of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def table(heads: Sequence[str], body: Sequence[Sequence[str]], text_columns: Sequence[int]) -> str:
    """A table that a click on a heading sorts.

    Args:
        heads (Sequence[str]): Headings.
        body (Sequence[Sequence[str]]): Cells of each row, of :func:`td` and :func:`th`.
        text_columns (Sequence[int]): Columns of words, which are aligned to the left.
    """
    head = ''.join(
        f'<th{" class=text" if i in text_columns else ""}>{escape(name)}</th>' for i, name in enumerate(heads)
    )
    lines = '\n'.join(f'<tr>{"".join(cells)}</tr>' for cells in body)
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead><tbody>\n{lines}\n'
        '</tbody></table></div>'
    )


def th(text: str, more: str = '') -> str:
    """The cell that names a row; ``more`` is HTML."""
    return f'<th>{escape(text)}{more}</th>'


def td(html: str, value: float | None = None, kind: str = '') -> str:
    """A cell of a number, sorted by ``value``."""
    style = f' class="{kind}"' if kind else ''
    return f'<td{style} data-value="{"" if value is None else format(value, ".6g")}">{html}</td>'


def words(html: str, kind: str = 'text') -> str:
    """A cell of words, sorted by them."""
    return f'<td class="{kind}">{html}</td>'


def code(text: str) -> str:
    """Text as code."""
    return f'<code>{escape(text)}</code>'


def badge(status: str) -> str:
    """A status with its colour."""
    return f'<span class="badge {status.replace(" ", "-")}">{escape(status)}</span>'


def spread(text: str) -> str:
    """``mean ± deviation`` with the deviation set smaller."""
    mean, sign, deviation = text.partition(' ± ')
    return escape(mean) + (f' <small>± {escape(deviation)}</small>' if sign else '')
