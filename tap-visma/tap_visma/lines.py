"""A document's lines as a stream of their own: no call more, each line with its document's key."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_visma.kinds import line_field, lines_stream
from tap_visma.writing import QuickStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_visma.pagination import Row
    from tap_visma.stream import VismaStream
    from tap_visma.tap import TapVisma


class LinesStream(QuickStream):
    """The lines of another stream's documents, written by that stream as it reads them."""

    documents: ClassVar[type[VismaStream]]

    @classmethod
    def of(cls, documents: type[VismaStream]) -> type[LinesStream]:
        """The class of the lines of a stream that declares `lines`: the SDK knows kin by class."""
        attributes = {"documents": documents, "parent_stream_type": documents}
        return type(f"{documents.__name__}Lines", (cls,), attributes)

    def __init__(self, tap: TapVisma) -> None:
        documents: Any = self.documents
        self.name = lines_stream(documents.name)
        self._document_key: tuple[str, ...] = documents.primary_keys
        self.selected_by_default = documents.is_finance
        schema = files("tap_visma") / "schemas" / f"{self.name}.json"
        super().__init__(tap, schema=json.loads(schema.read_text(encoding="utf-8")))
        self._number: tuple[str, ...] = documents.lines.keys
        self._has_warned = False
        self.primary_keys = (*self._document_key, *self._number)

    def rows(self, document: Mapping[str, Any]) -> Iterator[Row]:
        """The lines of a document; one without a number is in the document's own record only."""
        assert self.documents.lines is not None  # noqa: S101 - see `of`
        lines = document.get(self.documents.lines.field)
        key = {name: document.get(name) for name in self._document_key}
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, dict) and all(line.get(name) is not None for name in self._number):
                own = {line_field(name, self._document_key): line[name] for name in line}
                yield {**key, **own}
            elif not self._has_warned:
                self._has_warned = True
                self.logger.warning("%s: lines without a number are left out", self.name)

    def write_schema(self) -> None:
        """Write what the lines look like; before the first of them."""
        self._write_schema_message()

    def write(self, document: Mapping[str, Any]) -> None:
        """Write a document's lines."""
        for row in self.rows(document):
            self._write_record_message(row)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Give nothing: the documents' own stream gives the lines."""
        return ()
