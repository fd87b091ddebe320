"""Reads a file of currency rates that finance keeps: lines of date, from, to, rate."""

from __future__ import annotations

import csv
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = ("date", "from", "to", "rate")
_CURRENCY = re.compile(r"[A-Z]{3}")
_RATE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,15})?")


class RatesFileError(Exception):
    """A file of rates that cannot be used; the text says which line, and how to mend it."""


def read_rates(path: Path) -> list[Rate]:
    """Read a file of rates.

    Args:
        path: A CSV file in UTF-8 whose first line is ``date,from,to,rate``, such as
            ``2026-11-20,EUR,SEK,11.0425``: one EUR is 11.0425 SEK from that day on.

    Raises:
        RatesFileError: It is missing, or a line cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RatesFileError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise RatesFileError(f"{path}: is not UTF-8; save it as UTF-8") from None
    return list(_rates(path, text))


def _rates(path: Path, text: str) -> Iterator[Rate]:
    lines = csv.reader(text.splitlines())
    for number, fields in enumerate(lines, 1):
        given = [one.strip() for one in fields]
        if number == 1:
            if tuple(given) != COLUMNS:
                raise RatesFileError(f"{path}:1: the first line must be {','.join(COLUMNS)}")
            continue
        if not any(given):
            continue
        try:
            yield parse_rate(fields, f"{path.name}:{number}")
        except ValueError as error:
            raise RatesFileError(f"{path}:{number}: {error}") from None


def parse_rate(given: list[str], source: str) -> Rate:
    """Read one rate: date, from, to, rate.

    Raises:
        ValueError: It cannot be read; the text says how to mend it.
    """
    given = [one.strip() for one in given]
    if len(given) != len(COLUMNS):
        raise ValueError(f"has {len(given)} values; write date,from,to,rate")
    day, base, quote, rate = given
    for currency in (base, quote):
        if not _CURRENCY.fullmatch(currency):
            raise ValueError(f"{currency} is no currency; write three capitals, as in SEK")
    if base == quote:
        raise ValueError(f"{base} to itself needs no rate; remove the line")
    if not _RATE.fullmatch(rate) or not Decimal(rate):
        raise ValueError(f"{rate} is no rate; write it with a point, as in 11.0425")
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"{day} is no date; write it as in 2026-01-31") from None
    return Rate(base, quote, on, Decimal(rate), source)
