"""Reads the files of tests: documents, a clock and rates, and what is expected of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.documents.errors import UnreadableValue
from target_twilio_alerts.documents.fields import CONVERTERS, Kind
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.rules import Outcome
from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.mistakes import Mistakes
from target_twilio_alerts.rules.model import CHANNELS
from target_twilio_alerts.rules.rates_file import parse_rate
from target_twilio_alerts.rules.yaml_file import YamlFile

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.rules import Alerts, Rate
    from target_twilio_alerts.rules.yaml_file import Entry, Text

FILE_KEYS = ("rule", "rates", "tests")
TEST_KEYS = ("given", "steps")
STEP_KEYS = ("at", "acknowledged", "documents", "told", "outcomes")
TOLD_KEYS = (
    "rule",
    "recipient",
    "via",
    "text",
    "contains",
    "segments",
    "state",
    "reason",
    "not_before",
    "because",
)

_POLL = timedelta(minutes=5)
_NUMBER = re.compile(r"[+-]?[0-9][0-9_]*(?:\.[0-9]+)?")
_YES = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Given:
    """A document of a test: what entity it is, and its values."""

    entity: Entity
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Expected:
    """A message that a step must bring.

    Attributes:
        line: Its line in the file.
        wanted: What must be so, by TOLD_KEYS; a text may have REF for the reference.
        contains: What the text must have in it.
    """

    line: int
    wanted: Mapping[str, str]
    contains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A run.

    Attributes:
        line: Its line in the file.
        at: When it is.
        documents: What comes in, in this order.
        told: The messages that it must bring, all of them; None: they are not looked at.
        outcomes: What a rule must decide of the documents, in any order.
        acknowledged: Whether somebody takes care of all alerts just before.
    """

    line: int
    at: datetime
    documents: tuple[Given, ...]
    told: tuple[Expected, ...] | None
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    acknowledged: bool = False


@dataclass(frozen=True)
class Case:
    """One test.

    Attributes:
        name: What it shows.
        file: Name of its file.
        line: Its line.
        rules: Names of the rules that it is about; empty: all.
        rates: The rates that it is decided with; None: those of the alerts file.
        given: What is there before the first step, and alerts nobody.
        steps: The runs, in the order of time.
    """

    name: str
    file: str
    line: int
    rules: tuple[str, ...]
    rates: tuple[Rate, ...] | None
    given: tuple[Given, ...]
    steps: tuple[Step, ...]


def load_cases(path: Path, alerts: Alerts) -> list[Case]:
    """Read a file of tests.

    Args:
        path: A YAML file in UTF-8.
        alerts: The alerts file that it is about.

    Raises:
        AlertsFileError: It has mistakes; the text has them all, with their lines.
    """
    mistakes = Mistakes(path)
    file = YamlFile(path, mistakes)
    mistakes.raise_any()
    cases = _Reader(file, mistakes, alerts).cases()
    mistakes.raise_any()
    return cases


class _Reader:
    def __init__(self, file: YamlFile, mistakes: Mistakes, alerts: Alerts) -> None:
        self._file = file
        self._mistakes = mistakes
        self._alerts = alerts
        self._entities = {entity.name: entity for entity in alerts.entities.values()}
        self._rules = {rule.name for rule in (*alerts.rules, *alerts.disabled)}

    def cases(self) -> list[Case]:
        assert self._file.root is not None  # noqa: S101 - else there was a mistake
        given = self._file.entries(self._file.root, 1, "the file", FILE_KEYS)
        rules = [
            name.value
            for name in self._file.texts(given.get("rule"), "the file")
            if self._is_rule(name, "the file")
        ]
        rates = self._rates(given.get("rates"))
        tests = given.get("tests")
        if tests is None:
            self._mistakes.add(1, "tests is missing; add what is to be shown")
            return []
        found = self._file.entries(tests.node, tests.line, "tests")
        return [self._case(one, tuple(rules), rates) for one in found.values()]

    def _case(self, entry: Entry, rules: tuple[str, ...], rates: tuple[Rate, ...] | None) -> Case:
        where = f"test {entry.key!r}"
        given = self._file.entries(entry.node, entry.line, where, TEST_KEYS)
        steps: list[Step] = []
        if given and "steps" not in given:
            self._mistakes.add(entry.line, f"{where}: steps is missing; add what happens")
        for item in [] if "steps" not in given else self._file.items(given["steps"], where):
            steps += self._step(item, where, steps[-1].at if steps else None)
        return Case(
            name=entry.key,
            file=self._mistakes.path.name,
            line=entry.line,
            rules=rules,
            rates=rates,
            given=self._documents(given.get("given"), where),
            steps=tuple(steps),
        )

    def _step(self, entry: Entry, where: str, before: datetime | None) -> list[Step]:
        given = self._file.entries(entry.node, entry.line, where, STEP_KEYS)
        at = self._moment(given.get("at"), where)
        if at is None and before is None:
            if "at" not in given:
                self._mistakes.add(
                    entry.line, f"{where}: the first step needs a time: at: 2026-11-25 10:00"
                )
            return []
        if at is None and before is not None:
            at = before + _POLL
        elif at is not None and before is not None and at <= before:
            self._mistakes.add(given["at"].line, f"{where}: at is not after the step before")
        if "told" not in given and "outcomes" not in given:
            self._mistakes.add(
                entry.line, f"{where}: the step expects nothing; add told (`[]` if nobody is)"
            )
        assert at is not None  # noqa: S101 - one of the two
        told = self._told(given["told"], where) if "told" in given else None
        return [
            Step(
                line=entry.line,
                at=at,
                documents=self._documents(given.get("documents"), where),
                told=told,
                outcomes=self._outcomes(given.get("outcomes"), where),
                acknowledged=self._yes(given.get("acknowledged"), where),
            ),
        ]

    def _documents(self, entry: Entry | None, where: str) -> tuple[Given, ...]:
        found = []
        for item in [] if entry is None else self._file.items(entry, where, may_be_empty=True):
            for one in self._file.entries(item.node, item.line, where).values():
                entity = self._entities.get(one.key)
                if entity is None:
                    meant = suggestion(one.key, self._entities, "there are")
                    self._mistakes.add(one.line, f"{where}: there is no entity {one.key}; {meant}")
                    continue
                found.append(Given(entity, self._values(one, entity, where)))
        return tuple(found)

    def _values(self, entry: Entry, entity: Entity, where: str) -> dict[str, Value]:
        where = f"{where}: {entity.name}"
        fields = self._file.entries(entry.node, entry.line, where, entity.fields)
        values: dict[str, Value] = dict.fromkeys(entity.fields)
        for name, one in fields.items():
            kind = entity.fields[name].kind
            if kind is Kind.LIST:
                values[name] = tuple(text.value for text in self._file.texts(one, where))
                continue
            text = self._file.text(one, where)
            if text is not None:
                values[name] = self._value(text, kind, f"{where}: {name}")
        if values.get("number") is None and "number" in entity.fields:
            self._mistakes.add(entry.line, f"{where}: number is missing; it tells which document")
        return values

    def _value(self, text: Text, kind: Kind, where: str) -> Value:
        try:
            if kind is Kind.NUMBER and _NUMBER.fullmatch(text.value):
                return CONVERTERS[kind](Decimal(text.value.replace("_", "")))
            if kind is Kind.BOOLEAN and text.value in _YES:
                return _YES[text.value]
            if kind is Kind.DATE:
                return date.fromisoformat(text.value)
            if kind is Kind.TEXT:
                return text.value
        except (UnreadableValue, ValueError):
            pass  # told below, as what else cannot be read
        self._mistakes.add(text.line, f"{where}: {text.value} is no {kind.value}; correct it")
        return None

    def _told(self, entry: Entry, where: str) -> tuple[Expected, ...]:
        return tuple(
            self._expected(item, where)
            for item in self._file.items(entry, where, may_be_empty=True)
        )

    def _expected(self, entry: Entry, where: str) -> Expected:
        where = f"{where}: told"
        given = self._file.entries(entry.node, entry.line, where, TOLD_KEYS)
        wanted: dict[str, str] = {}
        for name, one in given.items():
            text = None if name == "contains" else self._file.text(one, where)
            if text is None:
                continue
            wanted[name] = text.value
            known: Collection[str] | None = {
                "via": CHANNELS,
                "recipient": self._alerts.recipients,
                "state": tuple(state.value for state in MessageState),
                "rule": self._rules,
            }.get(name)
            if known is not None and text.value not in known:
                meant = suggestion(text.value, known, "there are")
                self._mistakes.add(text.line, f"{where}: there is no {name} {text.value}; {meant}")
            if name == "not_before":
                moment = self._moment(one, where)
                wanted[name] = "" if moment is None else moment.isoformat()
        contains = tuple(one.value for one in self._file.texts(given.get("contains"), where))
        return Expected(entry.line, wanted, contains)

    def _outcomes(self, entry: Entry | None, where: str) -> dict[str, tuple[str, ...]]:
        if entry is None:
            return {}
        found = {}
        for one in self._file.entries(entry.node, entry.line, where).values():
            if one.key not in self._rules:
                meant = suggestion(one.key, self._rules, "there are")
                self._mistakes.add(one.line, f"{where}: there is no rule {one.key}; {meant}")
            outcomes = [outcome.value for outcome in Outcome]
            names = self._file.texts(one, where)
            for name in names:
                if name.value not in outcomes:
                    meant = suggestion(name.value, outcomes, "there are")
                    self._mistakes.add(name.line, f"{where}: no outcome {name.value}; {meant}")
            found[one.key] = tuple(sorted(name.value for name in names))
        return found

    def _yes(self, entry: Entry | None, where: str) -> bool:
        text = self._file.text(entry, where)
        return text is not None and self._value(text, Kind.BOOLEAN, where) is True

    def _is_rule(self, name: Text, where: str) -> bool:
        if name.value not in self._rules:
            meant = suggestion(name.value, self._rules, "there are")
            self._mistakes.add(name.line, f"{where}: there is no rule {name.value}; {meant}")
        return name.value in self._rules

    def _rates(self, entry: Entry | None) -> tuple[Rate, ...] | None:
        if entry is None:
            return None
        rates = []
        for text in self._file.texts(entry, "rates"):
            try:
                source = f"{self._mistakes.path.name}:{text.line}"
                rates.append(parse_rate(text.value.split(","), source))
            except ValueError as error:
                self._mistakes.add(text.line, f"rates: {error}")
        return tuple(rates)

    def _moment(self, entry: Entry | None, where: str) -> datetime | None:
        text = self._file.text(entry, where)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text.value)
        except ValueError:
            self._mistakes.add(
                text.line, f"{where}: {text.value} is no time; write it as in 2026-11-25 10:00"
            )
            return None
        if moment.tzinfo is None and self._alerts.timezone is None:
            self._mistakes.add(
                text.line, f"{where}: whose time? Add timezone to the alerts file, or +01:00 here"
            )
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=self._alerts.timezone)
