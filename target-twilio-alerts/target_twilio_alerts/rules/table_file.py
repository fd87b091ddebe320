"""Tables that finance keeps beside the alerts file: CSV in UTF-8, with a fixed first line."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TableFileError(Exception):
    """A table that cannot be used; the text says which line, and how to mend it."""


def read_table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Read a table; gives the number and the values of each line that has any.

    Args:
        path: A CSV file in UTF-8.
        columns: What its first line must be.

    Raises:
        TableFileError: It is missing, is no text, or has other columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TableFileError(
            f"there is no such file: {path}; create it, or correct its name"
        ) from None
    except OSError as error:
        raise TableFileError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise TableFileError(f"{path}: is not UTF-8; save it as UTF-8") from None
    for number, fields in enumerate(csv.reader(text.splitlines()), 1):
        given = [one.strip() for one in fields]
        if number == 1:
            if tuple(given) != columns:
                raise TableFileError(f"{path}:1: the first line must be {','.join(columns)}")
        elif any(given):
            yield number, given
