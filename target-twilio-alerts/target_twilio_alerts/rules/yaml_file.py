"""Reads a YAML file as nodes that know their lines, and takes them apart with clear mistakes.

Values are taken as they are written: a telephone number without quotes stays a telephone number,
`no` and `2026-01-31` stay text, and no tag ever makes an object.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from target_twilio_alerts.rules.mistakes import Mistakes

_MAX_BYTES = 2_000_000
_NULL = "tag:yaml.org,2002:null"
_OWN_TAGS = "tag:yaml.org,2002:"

_YAML_MENDS = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("cannot start any token", "put the value in quotes"),
    ("mapping values are not allowed", "a text with a colon and a space goes in quotes"),
    ("end of stream", "a quote or a bracket is never closed"),
    ("expected ',' or", "a bracket is never closed, or a comma is missing"),
    (
        "block end",
        (
            "the indentation is not even, or a value goes on after its closing quote: write a "
            "condition that begins with a quote on its own line, below `when: |`"
        ),
    ),
    ("undefined alias", "a value that begins with * goes in quotes"),
    ("single document", "one file holds one document: remove the line ---"),
    ("block scalar", "a value that begins with > or | goes in quotes"),
    ("could not find expected ':'", "a colon is missing, or the indentation is not even"),
)


@dataclass(frozen=True)
class Text:
    """A text in the file.

    Attributes:
        value: As written.
        line: Its line, from 1.
        first_line: Line on which the text itself begins, if its lines are kept as they are.
    """

    value: str
    line: int
    first_line: int | None = None


@dataclass(frozen=True)
class Entry:
    """A key with its value.

    Attributes:
        key: The key.
        line: The key's line, from 1.
        node: The value.
    """

    key: str
    line: int
    node: Node


class YamlFile:
    """The file, taken apart; whatever is not as it should be is noted as a mistake.

    Args:
        path: The file.
        mistakes: Takes the mistakes.
    """

    def __init__(self, path: Path, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self.root: Node | None = self._parse(path)

    def _parse(self, path: Path) -> Node | None:
        text = self._read(path)
        if text is None:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ReusedAnchorWarning)
                root: Node | None = YAML(typ="safe", pure=True).compose(text)
        except ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self._mistakes.add(line, "a control character; remove it")
        except MarkedYAMLError as error:
            self._mistakes.add(*_told(error))
        except (RecursionError, ReusedAnchorWarning, YAMLError):
            self._mistakes.add(1, "this is not YAML that can be read; write it without anchors")
        else:
            if root is None:
                self._mistakes.add(1, "the file is empty; it needs recipients and rules")
            return root
        return None

    def _read(self, path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            self._mistakes.add(
                None,
                f"there is no such file: {path}; create it, or set alerts_file to where it is",
            )
            return None
        except OSError as error:
            self._mistakes.add(None, f"cannot be read: {error.strerror}: {path}")
            return None
        if len(data) > _MAX_BYTES:
            self._mistakes.add(1, f"the file is larger than {_MAX_BYTES} bytes")
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._mistakes.add(line, "this is not UTF-8; save the file with the encoding UTF-8")
            return None

    def entries(
        self,
        node: Node,
        line: int,
        where: str,
        known: Iterable[str] | None = None,
        *,
        may_be_empty: bool = False,
    ) -> dict[str, Entry]:
        """Take a mapping apart.

        Args:
            node: What should be a mapping.
            line: Where it was asked for.
            where: What it belongs to, as mistakes begin.
            known: The keys that it may have; None if any will do.
            may_be_empty: Whether an empty one is no mistake.
        """
        if not isinstance(node, MappingNode):
            self._mistakes.add(line, f"{where}: expected `key: value` lines below it")
            return {}
        if not node.value and not may_be_empty:
            self._mistakes.add(line, f"{where}: is empty; add at least one `key: value` line")
        entries: dict[str, Entry] = {}
        names = None if known is None else tuple(known)
        for key, value in self._pairs(node):
            at = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or not key.value:
                self._mistakes.add(at, f"{where}: a key must be a plain name")
            elif names is not None and key.value not in names:
                meant = suggestion(key.value, names, "it may have")
                self._mistakes.add(at, f"{where}: unknown key {key.value}; {meant}")
            elif key.value in entries:
                first = entries[key.value].line
                self._mistakes.add(
                    at,
                    f"{where}: {key.value} is there twice, first on line {first}; remove or "
                    "rename one",
                )
            else:
                entries[key.value] = Entry(key.value, at, value)
        return entries

    def items(self, entry: Entry, where: str, *, may_be_empty: bool = False) -> list[Entry]:
        """Take one thing or a list of them; each keeps the key, and has a line of its own."""
        if not isinstance(entry.node, SequenceNode):
            return [entry]
        nodes: list[Node] = entry.node.value
        if not nodes and not may_be_empty:
            self._mistakes.add(entry.line, f"{where}: is empty; add one, or remove it")
        return [Entry(entry.key, node.start_mark.line + 1, node) for node in nodes]

    @staticmethod
    def _pairs(node: MappingNode) -> Iterator[tuple[Node, Node]]:
        pairs: list[tuple[Node, Node]] = node.value
        yield from pairs

    def text(self, entry: Entry | None, where: str) -> Text | None:
        """Take one text; None if there is none, which is a mistake if the key is there."""
        return None if entry is None else self._text(entry.node, entry.line, where, entry.key)

    def texts(self, entry: Entry | None, where: str) -> list[Text]:
        """Take one text or a list of them; an empty list is a mistake if the key is there."""
        if entry is None:
            return []
        if not isinstance(entry.node, SequenceNode):
            one = self._text(entry.node, entry.line, where, entry.key)
            return [] if one is None else [one]
        nodes: list[Node] = entry.node.value
        if not nodes:
            self._mistakes.add(entry.line, f"{where}: {entry.key} is empty; name at least one")
        taken = [self._text(node, node.start_mark.line + 1, where, entry.key) for node in nodes]
        return [one for one in taken if one is not None]

    def _text(self, node: Node, line: int, where: str, key: str) -> Text | None:
        if not isinstance(node, ScalarNode):
            self._mistakes.add(line, f"{where}: {key} must be one text; put it in quotes")
            return None
        tag, value = str(node.tag), str(node.value)
        if tag == _NULL or not value.strip():
            self._mistakes.add(line, f"{where}: {key} is empty; give it a value or remove it")
            return None
        if not tag.startswith(_OWN_TAGS):
            self._mistakes.add(line, f"{where}: {key} begins with a !; put it in quotes")
            return None
        at = int(node.start_mark.line) + 1
        return Text(value, at, at + 1 if node.style == "|" else None)


def _told(error: Any) -> tuple[int, str]:
    """The line of a YAML error, and what to do about it."""
    told = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in told or "flow" in told:
        mark = error.context_mark or mark
    mend = next((mend for part, mend in _YAML_MENDS if part in told), "mend the line")
    return (mark.line + 1 if mark else 1), f"this is not YAML: {error.problem}; {mend}"
