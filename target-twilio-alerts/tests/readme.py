"""What the README says of the commands' JSON, for tests that hold them to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_README = Path(__file__).parents[1] / "README.md"
_DATA = {"weeks", "outcomes"}
"""Keys whose values have keys of their own: weeks, outcomes."""


def undocumented(command: str, value: Any) -> set[str]:
    """Keys of a command's JSON, at every depth, that the README does not name."""
    rows = re.findall(rf"^\| `{command}` \| (.*) \|$", _README.read_text("utf-8"), re.MULTILINE)
    [row] = rows
    return set(_keys(value)) - set(re.findall(r"`(\w+)`", row))


def _keys(value: Any) -> list[str]:
    if isinstance(value, list):
        return [key for one in value for key in _keys(one)]
    if not isinstance(value, dict):
        return []
    below = [key for name, one in value.items() if name not in _DATA for key in _keys(one)]
    return [*value, *below]
