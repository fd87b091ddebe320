"""Reads a YAML file as nodes that know their lines, and takes them apart with clear mistakes.

Values are taken as they are written: a telephone number without quotes stays a telephone number,
`no` and `2026-01-31` stay text, and no tag ever makes an object.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.yaml_errors import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from target_twilio_alerts.rules.mistakes import Mistakes

_MAX_BYTES = 2_000_000
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_OWN_TAGS = "tag:yaml.org,2002:"
_BLOCKS = ("|", ">")
_EMPTY = "is empty; add at least one `key: value` line"


@dataclass(frozen=True)
class Text:
    """A text in the file.

    Attributes:
        value: As written.
        line: Its line, from 1.
        starts: Where in it each of its lines begins, with the line.
        is_cut: Whether a comment follows it on its line.
    """

    value: str
    line: int
    starts: tuple[tuple[int, int], ...] = ()
    is_cut: bool = False

    def line_of(self, offset: int) -> int:
        """The line of a place in it."""
        return max((line for start, line in self.starts if start <= offset), default=self.line)


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
        self._lines: list[str] = []
        self.root: Node | None = self._parse(path)

    def _parse(self, path: Path) -> Node | None:
        text = self._read(path)
        if text is None:
            return None
        self._lines = text.splitlines()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ReusedAnchorWarning)
                root: Node | None = YAML(typ="safe", pure=True).compose(text)
        except (RecursionError, ReusedAnchorWarning, YAMLError) as error:
            self._mistakes.add(*explained(error, text))
            return None
        if root is None:
            self._mistakes.add(1, "the file is empty; it needs recipients and rules")
        elif not isinstance(root, MappingNode):
            self._mistakes.add(
                root.start_mark.line + 1,
                f"the file: expected lines such as `recipients:` and `rules:`, not {_kind(root)}",
            )
        return root

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
            self._mistakes.add(
                1, "the file is larger than 2 MB; set alerts_file to the one that has the rules"
            )
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
            found = _kind(node)
            told = f"expected `key: value` lines below it, not {found}" if found else _EMPTY
            self._mistakes.add(line, f"{where}: {told}")
            return {}
        if not node.value and not may_be_empty:
            self._mistakes.add(line, f"{where}: {_EMPTY}")
        entries: dict[str, Entry] = {}
        names = None if known is None else tuple(known)
        for key, value in self._pairs(node):
            at = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or not key.value:
                self._mistakes.add(at, f"{where}: a key must be a plain name, as in `key: value`")
            elif key.tag == _MERGE:
                self._mistakes.add(
                    at, f"{where}: << is not understood here; write the keys that it stands for"
                )
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

    @staticmethod
    def names(entry: Entry | None) -> tuple[str, ...]:
        """The keys of a mapping, whatever is wrong with it: its reader tells that."""
        if entry is None or not isinstance(entry.node, MappingNode):
            return ()
        return tuple(key.value for key, _ in entry.node.value if isinstance(key, ScalarNode))

    def items(self, entry: Entry, where: str, *, may_be_empty: bool = False) -> list[Entry]:
        """Take one thing or a list of them; each keeps the key, and has a line of its own."""
        if not isinstance(entry.node, SequenceNode):
            return [entry]
        nodes: list[Node] = entry.node.value
        if not nodes and not may_be_empty:
            self._mistakes.add(entry.line, f"{where}: is empty; add one, or remove it")
        return [Entry(entry.key, node.start_mark.line + 1, node) for node in nodes]

    def need(self, given: Mapping[str, Entry], keys: Iterable[str], line: int, where: str) -> None:
        """Note keys that are missing; of what is empty that has been said already."""
        missing = [key for key in keys if key not in given] if given else []
        if missing:
            told = "is missing; add it" if len(missing) == 1 else "are missing; add them"
            self._mistakes.add(line, f"{where}: {' and '.join(missing)} {told}")

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
            begins = "[" if isinstance(node, SequenceNode) else "{"
            self._mistakes.add(
                line,
                f"{where}: {key} must be one text, not {_kind(node)}; write one, in quotes if it "
                f"begins with {begins}",
            )
            return None
        value = str(node.value)
        if not _kind(node) or not value.strip():
            self._mistakes.add(line, f"{where}: {key} is empty; give it a value or remove it")
            return None
        if not str(node.tag).startswith(_OWN_TAGS):
            self._mistakes.add(line, f"{where}: {key} begins with a !; put it in quotes")
            return None
        return Text(value, node.start_mark.line + 1, self._starts(node), self._is_cut(node))

    def _starts(self, node: ScalarNode) -> tuple[tuple[int, int], ...]:
        """Where in a text each of its lines begins, with the line."""
        first, last = node.start_mark, node.end_mark
        starts: list[tuple[int, int]] = []
        position = 0
        for number in range(first.line + (node.style in _BLOCKS), last.line + 1):
            line = self._lines[number] if number < len(self._lines) else ""
            line = line[: last.column] if number == last.line else line
            line = line[first.column :] if number == first.line else line
            position = node.value.find(line.strip(), position)
            if position < 0:
                break
            if line.strip():
                starts.append((position, number + 1))
                position += len(line.strip())
        return tuple(starts)

    def _is_cut(self, node: ScalarNode) -> bool:
        end = node.end_mark
        rest = self._lines[end.line][end.column :] if end.line < len(self._lines) else ""
        return node.style is None and rest.lstrip().startswith("#")


def _kind(node: Node) -> str:
    """What a node is, as mistakes call it; empty if it is nothing at all."""
    if isinstance(node, SequenceNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "`key: value`"
    return "" if node.tag == _NULL else "text"
