"""The tables of streams in the tap's README, made from where the streams are declared."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from tap_visma.kinds import Filter, Paging, lines_stream
from tap_visma.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CHANGES = {
    Filter.STAMP_AND_CONDITION: "changes",
    Filter.STAMP_ONLY: "changes",
    Filter.NONE: "everything",
}
_PAGING = {
    Paging.PAGES: "",
    Paging.WHOLE: " in one answer",
    Paging.MAYBE: " in one answer or in pages",
}
_LEADING = 2
"""`tenant_id` and `company` lead each key, and the README says so once."""


def streams_table() -> str:
    """Every stream: what it is, where it is from, its key and how it is read."""
    lines = [
        "| | Stream | What it is | Endpoint | Key | Reads |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for stream in _streams():
        mark = "•" if stream.is_finance else ""
        told = " ".join((inspect.getdoc(stream) or "").split("\n\n")[0].split())
        lines.append(
            f"| {mark} | `{stream.name}` | {told} | `{stream.path}` | "
            f"{_names(stream.primary_keys[_LEADING:])} | {how_it_is_read(stream)} |",
        )
    return "\n".join(lines)


def lines_table() -> str:
    """Every stream of documents' lines."""
    lines = ["| Stream | The lines of | Key, after the document's |", "| --- | --- | --- |"]
    lines += [
        f"| `{lines_stream(stream.name)}` | `{stream.name}`, its `{stream.lines.field}` | "
        f"{_names(stream.lines.keys)} |"
        for stream in _streams()
        if stream.lines is not None
    ]
    return "\n".join(lines)


def how_it_is_read(stream: Any) -> str:
    """What a run asks for, in a few words."""
    return _CHANGES[stream.filter] + _PAGING[stream.paging]


def _streams() -> Iterable[Any]:
    return cast("Iterable[Any]", STREAMS)


def _names(key: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in key)
