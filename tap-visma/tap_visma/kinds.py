"""The kinds of list endpoints that Visma.net ERP has: how each is filtered, and how it is paged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class Filter(Enum):
    """What an endpoint offers to ask for what changed (source: the API's OpenAPI description)."""

    STAMP_AND_CONDITION = "stamp_and_condition"
    """`lastModifiedDateTime` with `lastModifiedDateTimeCondition`; one without the other is ignored
    in silence."""

    STAMP_ONLY = "stamp_only"
    """`lastModifiedDateTime` without a condition; the API refuses a request without any filter."""

    NONE = "none"
    """No filter: the whole listing is read, each run."""


class Paging(Enum):
    """How a listing is cut into answers (source: the API's OpenAPI description)."""

    PAGES = "pages"
    """`pageNumber`, from 1, and `pageSize`."""

    WHOLE = "whole"
    """One answer has everything; `pageNumber` is unknown and would be ignored in silence."""

    MAYBE = "maybe"
    """Whole in the description of 2025-05, in pages in clients generated from that of 2026: a
    reader asks for pages and copes with an answer that ignores them."""


@dataclass(frozen=True)
class Lines:
    """The numbered lines nested in a document, which may also be a stream of their own.

    Attributes:
        field: The document's field that holds the lines, an array of objects.
        keys: The line's fields that, after the document's key, identify it.
    """

    field: str
    keys: tuple[str, ...]


def lines_stream(document_stream: str) -> str:
    """What the stream of a document's lines is called: `supplier_invoice_lines`."""
    return f"{document_stream.removesuffix('s')}_lines"


def line_field(name: str, document_key: Collection[str]) -> str:
    """What a line's field is called in a record of the lines' stream.

    Its name, unless the document's key, which leads each line's record, has a field of that name.
    """
    return f"line_{name}" if name in document_key else name
