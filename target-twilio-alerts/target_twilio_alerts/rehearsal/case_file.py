"""Reads the files of tests; every mistake is told at once, with its line and its mend."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from target_twilio_alerts.documents.fields import Kind
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.silences import MATCHERS
from target_twilio_alerts.rehearsal.case_documents import CaseDocuments
from target_twilio_alerts.rehearsal.cases import Case, Decided, Expected, Silenced, Step
from target_twilio_alerts.rehearsal.expectations import KINDS, TOLD_KEYS
from target_twilio_alerts.rules import Outcome
from target_twilio_alerts.rules.durations import parse_duration
from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.mistakes import Mistakes
from target_twilio_alerts.rules.model import CHANNELS
from target_twilio_alerts.rules.rates_file import parse_rate
from target_twilio_alerts.rules.yaml_file import Text, YamlFile

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from target_twilio_alerts.rules import Alerts, Rate
    from target_twilio_alerts.rules.yaml_file import Entry

FILE_KEYS = ("rule", "rates", "tests")
TEST_KEYS = ("given", "steps")
STEP_KEYS = (
    "at",
    "acknowledged",
    "delivered",
    "opted_out",
    "silenced",
    "rates",
    "documents",
    "told",
    "outcomes",
)
SILENCED_KEYS = (*MATCHERS, "for", "reason")
OPTED_OUT_KEYS = ("recipient", "via")

_POLL = timedelta(minutes=5)
_WHOLE = re.compile(r"[0-9]+")
_WITH_COMPANY = 5


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
        self._documents = CaseDocuments(file, mistakes, alerts, self._moment)
        self._rules = {rule.name for rule in (*alerts.rules, *alerts.disabled)}

    def cases(self) -> list[Case]:
        assert self._file.root is not None  # noqa: S101 - else there was a mistake
        given = self._file.entries(self._file.root, 1, "the file", FILE_KEYS)
        names = self._file.texts(given.get("rule"), "the file")
        rules = [one.value for one in names if self._is_one(one, self._rules, "the file", "rule")]
        rates = None if "rates" not in given else self._rates(given["rates"], "rates")
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
            step = self._step(item, where, len(steps) + 1, steps[-1].at if steps else None)
            if step is not None:
                steps.append(step)
        return Case(
            name=entry.key,
            file=self._mistakes.path.name,
            line=entry.line,
            rules=rules,
            rates=rates,
            given=self._documents.read(given.get("given"), where),
            steps=tuple(steps),
        )

    def _step(self, entry: Entry, where: str, number: int, before: datetime | None) -> Step | None:
        where = f"{where}: step {number}"
        given = self._file.entries(entry.node, entry.line, where, STEP_KEYS)
        at = self._moment(given.get("at"), where)
        if at is None and before is None:
            if "at" not in given:
                self._mistakes.add(
                    entry.line, f"{where}: the first step needs a time: at: 2026-11-25 10:00"
                )
            return None
        if at is None and before is not None:
            at = before + _POLL
        elif at is not None and before is not None and at <= before:
            self._mistakes.add(given["at"].line, f"{where}: at is not after the step before")
        if "told" not in given and "outcomes" not in given:
            self._mistakes.add(
                entry.line, f"{where}: it expects nothing; add told (`[]` if nobody is)"
            )
        assert at is not None  # noqa: S101 - one of the two
        return Step(
            line=entry.line,
            number=number,
            at=at,
            documents=self._documents.read(given.get("documents"), where),
            told=self._told(given["told"], where) if "told" in given else None,
            outcomes=self._outcomes(given.get("outcomes"), where),
            acknowledged=self._is_yes(given.get("acknowledged"), where),
            delivered=self._is_yes(given.get("delivered"), where),
            opted_out=self._opted_out(given.get("opted_out"), where),
            silenced=self._silenced(given.get("silenced"), where),
            rates=self._tap_rates(given.get("rates"), where),
        )

    def _told(self, entry: Entry, where: str) -> tuple[Expected, ...]:
        return tuple(
            self._expected(item, f"{where}: told")
            for item in self._file.items(entry, where, may_be_empty=True)
        )

    def _expected(self, entry: Entry, where: str) -> Expected:
        given = self._file.entries(entry.node, entry.line, where, TOLD_KEYS)
        wanted: dict[str, str] = {}
        known: dict[str, Collection[str]] = {
            "via": CHANNELS,
            "kind": KINDS,
            "recipient": self._alerts.recipients,
            "state": tuple(state.value for state in MessageState),
            "rule": self._rules,
        }
        for name, one in given.items():
            text = None if name == "contains" else self._file.text(one, where)
            if text is None:
                continue
            wanted[name] = text.value
            if name in known:
                self._is_one(text, known[name], where, name)
            if name in {"segments", "step"} and not _WHOLE.fullmatch(text.value):
                self._mistakes.add(text.line, f"{where}: {name} {text.value} is no whole number")
            if name == "not_before":
                moment = self._moment(one, where)
                wanted[name] = "" if moment is None else moment.isoformat()
        contains = tuple(one.value for one in self._file.texts(given.get("contains"), where))
        return Expected(entry.line, wanted, contains)

    def _outcomes(self, entry: Entry | None, where: str) -> tuple[Decided, ...]:
        if entry is None:
            return ()
        known = [outcome.value for outcome in Outcome]
        found = []
        for one in self._file.entries(entry.node, entry.line, where).values():
            self._is_one(Text(one.key, one.line), self._rules, where, "rule")
            items = self._file.items(one, where, may_be_empty=True)
            names = [self._file.text(item, where) for item in items]
            for name in names:
                if name is not None:
                    self._is_one(name, known, where, "outcome")
            outcomes = tuple(name.value for name in names if name is not None)
            found.append(Decided(one.line, one.key, outcomes))
        return tuple(found)

    def _opted_out(self, entry: Entry | None, where: str) -> tuple[tuple[str, str], ...]:
        found = []
        for item in [] if entry is None else self._file.items(entry, where):
            given = self._file.entries(item.node, item.line, f"{where}: opted_out", OPTED_OUT_KEYS)
            texts = [self._file.text(given.get(name), where) for name in OPTED_OUT_KEYS]
            recipient, channel = texts
            if recipient is None or channel is None:
                self._mistakes.add(item.line, f"{where}: opted_out: name a recipient and via")
                continue
            is_known = self._is_one(recipient, self._alerts.recipients, where, "recipient")
            if self._is_one(channel, CHANNELS, where, "via") and is_known:
                found.append((recipient.value, channel.value))
        return tuple(found)

    def _silenced(self, entry: Entry | None, where: str) -> tuple[Silenced, ...]:
        found = []
        for item in [] if entry is None else self._file.items(entry, where):
            of = f"{where}: silenced"
            given = self._file.entries(item.node, item.line, of, SILENCED_KEYS)
            texts = {name: self._file.text(one, of) for name, one in given.items()}
            named = {name: one.value for name, one in texts.items() if one is not None}
            span = parse_duration(named.pop("for", ""))
            reason = named.pop("reason", "test")
            if span is None:
                self._mistakes.add(item.line, f"{of}: how long? Add for, as in for: 8h")
            elif not named:
                self._mistakes.add(item.line, f"{of}: what? Add one of {', '.join(MATCHERS)}")
            else:
                found.append(Silenced(named, span, reason))
        return tuple(found)

    def _is_yes(self, entry: Entry | None, where: str) -> bool:
        return entry is not None and self._documents.value(entry, Kind.BOOLEAN, where) is True

    def _is_one(self, text: Text, known: Collection[str], where: str, what: str) -> bool:
        """Whether a name is known; else that is a mistake."""
        if text.value not in known:
            meant = suggestion(text.value, known, "there are")
            self._mistakes.add(text.line, f"{where}: there is no {what} {text.value}; {meant}")
        return text.value in known

    def _tap_rates(self, entry: Entry | None, where: str) -> tuple[Rate, ...]:
        if entry is not None and self._alerts.rates.type is None:
            self._mistakes.add(
                entry.line, f"{where}: a tap's rates need `rates: {{type: ...}}` in the alerts file"
            )
        return () if entry is None else self._rates(entry, f"{where}: rates")

    def _rates(self, entry: Entry, where: str) -> tuple[Rate, ...]:
        """Rates, a line each; a fifth value is the company that one is of."""
        rates = []
        for text in self._file.texts(entry, where):
            given = text.value.split(",")
            company = given.pop().strip() if len(given) == _WITH_COMPANY else None
            try:
                rate = parse_rate(given, f"{self._mistakes.path.name}:{text.line}")
            except ValueError as error:
                self._mistakes.add(text.line, f"{where}: {error}")
            else:
                rates.append(replace(rate, company=company))
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
