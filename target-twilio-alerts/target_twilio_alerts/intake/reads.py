"""Which partitions of which streams have been read whole: until then, first contact is a baseline.

A read is whole when a STATE has a bookmark for the partition and no progress marker left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Context = dict[str, Any]


class UnknownHistoryError(Exception):
    """The tap has read before what this ledger has never seen."""


def complete_partitions(state: Mapping[str, Any]) -> Iterator[tuple[str, Context]]:
    """Stream and context of each partition that a Singer STATE value shows as read whole.

    A stream without partitions has the empty context, which covers all its records.
    """
    bookmarks = state.get("bookmarks")
    if not isinstance(bookmarks, dict):
        return
    for stream, entry in bookmarks.items():
        if not isinstance(entry, dict):
            continue
        partitions = entry.get("partitions")
        if not isinstance(partitions, list) or not partitions:
            if _is_complete(entry):
                yield stream, {}
            continue
        for partition in partitions:
            if isinstance(partition, dict) and _is_complete(partition):
                context = partition.get("context") or {}
                if _is_usable(context):
                    yield stream, context


def _once_each(partitions: Iterator[tuple[str, Context]]) -> Iterator[tuple[str, Context]]:
    given: list[tuple[str, Context]] = []
    for partition in partitions:
        if partition not in given:
            given.append(partition)
            yield partition


def _is_usable(context: Any) -> bool:
    """Whether a context can tell a partition's records: names with a text or a number each."""
    return isinstance(context, dict) and all(
        isinstance(value, (str, int)) for value in context.values()
    )


def _is_complete(entry: Mapping[str, Any]) -> bool:
    return entry.get("replication_key_value") is not None and not entry.get("progress_markers")


class CompleteReads:
    """The whole reads that the ledger knows of.

    Args:
        stored: Per stream, the contexts that have been read whole.
    """

    def __init__(self, stored: Mapping[str, list[Context]]) -> None:
        self._by_stream: dict[str, dict[tuple[str, ...], set[tuple[Any, ...]]]] = {}
        for stream, contexts in stored.items():
            for context in contexts:
                self.add(stream, context)

    def add(self, stream: str, context: Context) -> None:
        """Learn of a whole read."""
        names = tuple(sorted(context))
        known = self._by_stream.setdefault(stream, {}).setdefault(names, set())
        known.add(tuple(context[name] for name in names))

    def covers(self, stream: str, get: Callable[[str], Any]) -> bool:
        """Whether a record belongs to a partition that was read whole.

        Args:
            stream: Its stream.
            get: Gives its root fields, by name.
        """
        for names, known in self._by_stream.get(stream, {}).items():
            values = tuple(map(get, names))
            if values in known and all(isinstance(value, (str, int)) for value in values):
                return True
        return False

    def knows(self, stream: str, context: Context) -> bool:
        """Whether this very partition was read whole."""
        names = tuple(sorted(context))
        known = self._by_stream.get(stream, {}).get(names, set())
        return tuple(context[name] for name in names) in known

    def companies(self, stream: str) -> set[str]:
        """Names of the companies of which a whole read is known."""
        known = self._by_stream.get(stream, {})
        return {
            str(values[names.index("company")])
            for names, contexts in known.items()
            if "company" in names
            for values in contexts
        }

    def unknown(self, state: Mapping[str, Any]) -> list[tuple[str, Context]]:
        """Partitions that a STATE shows as read whole and that are not known here yet."""
        return [
            (stream, context)
            for stream, context in _once_each(complete_partitions(state))
            if not self.knows(stream, context)
        ]
