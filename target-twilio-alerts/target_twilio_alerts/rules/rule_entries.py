"""Rules of the alerts file: their conditions, and whether whom they notify can be reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.content_entry import read_content
from target_twilio_alerts.rules.digest_entry import read_digest
from target_twilio_alerts.rules.durations import parse_duration, read_days
from target_twilio_alerts.rules.escalation_entry import read_escalation
from target_twilio_alerts.rules.expressions import (
    Condition,
    ConditionError,
    compile_condition,
    suggestion,
)
from target_twilio_alerts.rules.model import (
    CHANNELS,
    DEFAULT_SEVERITY,
    ONCE_PER,
    SEVERITIES,
    Rule,
)
from target_twilio_alerts.rules.owner_entry import read_owner
from target_twilio_alerts.rules.recipients import NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_twilio_alerts.documents import Entity
    from target_twilio_alerts.rules.addressees import Addressees
    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.recipients import People
    from target_twilio_alerts.rules.yaml_file import Entry, Text, YamlFile

RULE_KEYS = (
    "entity",
    "when",
    "notify",
    "via",
    "severity",
    "template",
    "again_on",
    "max_age",
    "once_per",
    "companies",
    "content_sid",
    "content_variables",
    "whatsapp_window",
    "max_segments",
    "undecided",
    "fallback",
    "enabled",
    "escalate",
    "digest",
    "validity_period",
)
FALLBACKS = ("sms", "email", "voice")
"""Channels whose words need no template that somebody approved."""

_MAX_SEGMENTS = 10
"""Twilio takes 1,600 characters, which are eleven segments; so many nobody should need."""

_MAX_VALIDITY = timedelta(seconds=36_000)
"""Source: twilio-messages-calls.openapi.json, CreateMessageRequest, ValidityPeriod."""

REQUIRED_KEYS = ("entity", "when", "notify", "via")


class RuleEntries:
    """Reads rules.

    Args:
        file: The file.
        mistakes: Takes the mistakes.
        people: Checks names.
        addressees: Whom rules may notify.
        entities: What rules may be about, by name.
        broken: Names of entities that have mistakes of their own.
        zone: Name of the zone of `today`, if the file has one.
    """

    def __init__(
        self,
        file: YamlFile,
        mistakes: Mistakes,
        *,
        people: People,
        addressees: Addressees,
        entities: Mapping[str, Entity],
        broken: Collection[str],
        zone: str | None,
    ) -> None:
        self._file = file
        self._mistakes = mistakes
        self._people = people
        self._addressees = addressees
        self._entities = entities
        self._broken = broken
        self._zone = zone

    def rules(self, entry: Entry | None) -> tuple[Rule, ...]:
        """Read the rules, in the order of the file."""
        if entry is None:
            self._mistakes.add(1, "rules is missing; add what to alert on")
            return ()
        found = self._file.entries(entry.node, entry.line, "rules")
        read = [self._rule(one) for one in found.values()]
        rules = [rule for rule in read if rule is not None]
        named: dict[str, set[str]] = {}
        for rule in rules:
            named.setdefault(rule.entity.name, set()).update(rule.condition.fields, rule.again_on)
        entities = {name: self._entities[name].with_raw(names) for name, names in named.items()}
        return tuple(replace(rule, entity=entities[rule.entity.name]) for rule in rules)

    def _rule(self, entry: Entry) -> Rule | None:
        where = f"rule {entry.key!r}"
        self._people.check_name(entry, where)
        given = self._file.entries(entry.node, entry.line, where, RULE_KEYS)
        self._file.need(given, REQUIRED_KEYS, entry.line, where)
        entity = self._entity(self._file.text(given.get("entity"), where), where)
        when = self._file.text(given.get("when"), where)
        condition = self._condition(when, entity, where)
        notify = self._file.texts(given.get("notify"), where)
        via = self._addressees.one_of(
            self._file.texts(given.get("via"), where), CHANNELS, where, "there is no channel {}"
        )
        self._addressees.check(notify, via, where)
        severity = self._file.text(given.get("severity"), where)
        severities = self._addressees.one_of(
            [] if severity is None else [severity], SEVERITIES, where, "there is no severity {}"
        )
        template = self._file.text(given.get("template"), where)
        if template is not None and not NAME.fullmatch(template.value):
            self._mistakes.add(
                template.line,
                f"{where}: template {template.value} is no name; write it without folder and "
                f"endings, as in {entry.key}",
            )
        again_on = self._again_on(given.get("again_on"), entity, condition, where)
        max_age = self._max_age(given.get("max_age"), entity, where)
        once_per = self._once_per(given.get("once_per"), entity, where)
        companies = self._companies(given.get("companies"), entity, where)
        content = read_content(
            self._file, self._mistakes, given, via=via, entity=entity, where=where
        )
        if entity is None or condition is None:
            return None
        return Rule(
            name=entry.key,
            entity=entity,
            condition=condition,
            recipients=self._addressees.names(notify),
            via=tuple(via),
            severity=next(iter(severities), DEFAULT_SEVERITY),
            template=None if template is None else template.value,
            again_on=again_on,
            line=entry.line,
            zone=self._zone,
            max_age=max_age,
            once_per=once_per,
            companies=companies,
            content=content,
            undecided=read_owner(
                self._file, self._addressees, given.get("undecided"), f"{where}: undecided"
            ),
            max_segments=self._max_segments(given.get("max_segments"), via, where),
            escalation=read_escalation(
                self._file,
                self._mistakes,
                given.get("escalate"),
                addressees=self._addressees,
                via=via,
                where=where,
            ),
            digest=read_digest(
                self._file, self._mistakes, given, people=self._people, via=via, where=where
            ),
            enabled=self._enabled(given.get("enabled"), where),
            validity=self._validity(given.get("validity_period"), where),
            fallback=self._fallback(given.get("fallback"), notify, via, where),
        )

    def _enabled(self, entry: Entry | None, where: str) -> bool:
        text = self._file.text(entry, where)
        if text is not None and text.value not in {"true", "false"}:
            self._mistakes.add(text.line, f"{where}: enabled is true or false, not {text.value}")
        return text is None or text.value != "false"

    def _fallback(
        self, entry: Entry | None, notify: list[Text], via: Mapping[str, int], where: str
    ) -> tuple[str, ...]:
        where = f"{where}: fallback"
        given = self._addressees.one_of(
            self._file.texts(entry, where), FALLBACKS, where, "{} is no channel for it"
        )
        for channel, line in given.items():
            if channel in via:
                self._mistakes.add(
                    line, f"{where}: the rule sends by {channel} anyway; remove it here"
                )
        if given:
            self._addressees.check(notify, given, where)
        return tuple(given)

    def _max_segments(self, entry: Entry | None, via: Mapping[str, int], where: str) -> int | None:
        text = self._file.text(entry, where)
        if text is None:
            return None
        if "sms" not in via:
            self._mistakes.add(text.line, f"{where}: max_segments is for via: sms; remove it")
        if text.value not in map(str, range(1, _MAX_SEGMENTS + 1)):
            self._mistakes.add(
                text.line,
                f"{where}: max_segments is a number from 1 to {_MAX_SEGMENTS}: how many segments "
                "an SMS may have",
            )
            return None
        return int(text.value)

    def _validity(self, entry: Entry | None, where: str) -> timedelta | None:
        text = self._file.text(entry, where)
        if text is None:
            return None
        span = parse_duration(text.value)
        if span is None or span > _MAX_VALIDITY:
            self._mistakes.add(
                text.line,
                f"{where}: validity_period {text.value} is no span up to 10h; write it as in 30m "
                "or 4h",
            )
        return span

    def _companies(self, entry: Entry | None, entity: Entity | None, where: str) -> tuple[str, ...]:
        if entry is not None and entity is not None and "company" not in entity.fields:
            self._mistakes.add(
                entry.line,
                f"{where}: {entity.name} has no field company, so its documents are nobody's; add "
                "one to the entity, or remove companies",
            )
        return tuple(dict.fromkeys(name.value for name in self._file.texts(entry, where)))

    def _once_per(self, entry: Entry | None, entity: Entity | None, where: str) -> tuple[str, ...]:
        given = self._addressees.one_of(
            self._file.texts(entry, where), ONCE_PER, where, "once_per cannot be {}"
        )
        if entry is None:
            return ()
        if "counterparty" in given and entity is not None and "counterparty" not in entity.fields:
            self._mistakes.add(
                given["counterparty"],
                f"{where}: {entity.name} has no counterparty; write once_per: document",
            )
        if "day" in given and self._zone is None:
            self._mistakes.add(
                given["day"],
                f"{where}: once_per day needs to know whose day: add a line such as "
                "`timezone: Europe/Stockholm`",
            )
        return tuple(name for name in ONCE_PER if name in given)

    def _max_age(self, entry: Entry | None, entity: Entity | None, where: str) -> timedelta | None:
        if entry is None:
            return None
        if entity is not None and "date" not in entity.fields:
            self._mistakes.add(
                entry.line,
                f"{where}: {entity.name} has no date, so nothing has an age; remove max_age",
            )
        if self._zone is None:
            self._mistakes.add(
                entry.line,
                f"{where}: max_age counts days until today, so the file must say whose day: add a "
                "line such as `timezone: Europe/Stockholm`",
            )
        return read_days(self._file, self._mistakes, entry, where)

    def _entity(self, text: Text | None, where: str) -> Entity | None:
        if text is None or text.value in self._broken:
            return None
        entity = self._entities.get(text.value)
        if entity is None:
            meant = suggestion(text.value, self._entities, "there are")
            self._mistakes.add(text.line, f"{where}: there is no entity {text.value}; {meant}")
        return entity

    def _condition(
        self,
        text: Text | None,
        entity: Entity | None,
        where: str,
    ) -> Condition | None:
        if text is None or entity is None:
            return None
        try:
            condition = compile_condition(text.value, entity)
        except ConditionError as error:
            told = f"{where}: {error.problem}"
            if text.is_cut and _never_closes(text.value[error.offset :]):
                told += (
                    ", and as # begins a comment, write the condition on its own line, below "
                    "`when: |`"
                )
            self._mistakes.add_in_condition(text.line_of(error.offset), told, error.caret)
            return None
        if condition.uses_clock and self._zone is None:
            self._mistakes.add(
                text.line,
                f"{where}: names today, so the file must say whose day: add a line such as "
                "`timezone: Europe/Stockholm`",
            )
        return condition

    def _again_on(
        self,
        entry: Entry | None,
        entity: Entity | None,
        condition: Condition | None,
        where: str,
    ) -> tuple[str, ...]:
        names = self._file.texts(entry, where)
        if entry is None or entity is None:
            return ()
        if condition is not None and condition.uses_previous:
            self._mistakes.add(
                entry.line,
                f"{where}: a rule that names previous is decided at each change anyway; remove "
                "again_on",
            )
        for name in names:
            if name.value not in entity.fields and name.value not in entity.raw_fields:
                meant = suggestion(name.value, entity.fields, "it has")
                self._mistakes.add(
                    name.line,
                    f"{where}: again_on: {entity.name} has no field {name.value}; {meant}",
                )
        return tuple(dict.fromkeys(name.value for name in names))


def _never_closes(text: str) -> bool:
    """Whether it begins with a quote that has no other behind it."""
    return text[:1] in {'"', "'"} and text[0] not in text[1:]
