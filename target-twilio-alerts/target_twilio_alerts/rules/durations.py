"""Spans of time as the alerts file writes them: 15m, 4h, 30d, 2w."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.yaml_file import Entry, YamlFile

_DURATION = re.compile(r"([1-9][0-9]{0,4})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta | None:
    """A span such as ``15m``, ``4h``, ``30d`` or ``2w``; None for any other text."""
    match = _DURATION.fullmatch(text.strip())
    return None if match is None else timedelta(**{_UNITS[match[2]]: int(match[1])})


def read_days(
    file: YamlFile,
    mistakes: Mistakes,
    entry: Entry | None,
    where: str,
) -> timedelta | None:
    """Read a span of whole days; None if none is given, or none that can be read."""
    text = file.text(entry, where)
    if text is None or entry is None:
        return None
    span = parse_duration(text.value)
    if span is None or span.seconds:
        mistakes.add(
            text.line,
            f"{where}: {entry.key} {text.value} is no number of days; write it as in 30d or 2w",
        )
        return None
    return span
