"""Bars as SVG, written by hand so that a new run is a readable diff."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WIDTH = 720
_LEFT = 230
_RIGHT = 90
_BAR = 20
_ROW = 28
_TITLE = 44
_OURS = "#0b6e4f"
_THEIRS = "#9aa5b1"


def bars(charts: Mapping[str, Mapping[str, float]], *, first: str) -> str:
    """Charts under one another, each with a bar of seconds for each name.

    Args:
        charts: Seconds by name, by the chart's title.
        first: Names that begin so are drawn in the colour that stands out.
    """
    body: list[str] = []
    top = 0
    for title, values in charts.items():
        body += _chart(title, values, top, first)
        top += _TITLE + _ROW * len(values)
    height = top + _ROW // 2
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="13">'
    )
    back = f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, back, *body, "</svg>", ""])


def _chart(title: str, values: Mapping[str, float], top: int, first: str) -> Iterable[str]:
    yield (
        f'<text x="12" y="{top + 28}" font-weight="bold" fill="#111111">'
        f"{escape(title)}: seconds, less is better</text>"
    )
    scale = (_WIDTH - _LEFT - _RIGHT) / max(values.values())
    for row, (name, seconds) in enumerate(values.items()):
        y = top + _TITLE + row * _ROW
        width = max(1, round(seconds * scale))
        colour = _OURS if name.startswith(first) else _THEIRS
        text = y + _BAR - 5
        yield f'<text x="{_LEFT - 10}" y="{text}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect x="{_LEFT}" y="{y}" width="{width}" height="{_BAR}" fill="{colour}"/>'
        yield f'<text x="{_LEFT + width + 8}" y="{text}">{seconds:.1f} s</text>'
