"""The digest of a rule: when its alerts are told together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.rules.availability_entries import parse_time
from target_twilio_alerts.rules.digest import COUNTRIES, Digest, working_days
from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.people import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.recipients import People
    from target_twilio_alerts.rules.yaml_file import Entry, YamlFile

DIGEST_KEYS = ("daily", "workdays", "weekly", "country", "timezone")
_TIMES = DIGEST_KEYS[:3]
DIGEST_CHANNELS = ("sms", "email")
_NOT_WITH = ("escalate", "template", "fallback", "max_segments", "validity_period")


def read_digest(
    file: YamlFile,
    mistakes: Mistakes,
    given: Mapping[str, Entry],
    *,
    people: People,
    via: Mapping[str, int],
    where: str,
) -> Digest | None:
    """Read `digest`; None if the rule tells each alert by itself.

    Args:
        file: The file.
        mistakes: Takes the mistakes.
        given: The keys of the rule.
        people: Reads times, days and zones.
        via: Channels of the rule.
        where: The rule, as mistakes begin.
    """
    entry = given.get("digest")
    if entry is None:
        return None
    where = f"{where}: digest"
    for key in _NOT_WITH:
        if key in given:
            mistakes.add(given[key].line, f"{where}: a digest has no {key}; remove one of them")
    for channel, line in via.items():
        if channel not in DIGEST_CHANNELS:
            mistakes.add(line, f"{where}: a digest is told by sms or email, not {channel}")
    keys = file.entries(entry.node, entry.line, where, DIGEST_KEYS)
    times = [key for key in _TIMES if key in keys]
    if keys and len(times) != 1:
        mistakes.add(entry.line, f"{where}: give one of {', '.join(_TIMES)}, such as daily: 16:30")
    zone = people.own_zone(file.text(keys.get("timezone"), where), entry.line, where)
    country = _country(file, mistakes, keys, where)
    if len(times) != 1:
        return None
    return _digest(file, keys[times[0]], people, where, zone=zone, country=country)


def _digest(
    file: YamlFile,
    entry: Entry,
    people: People,
    where: str,
    *,
    zone: tzinfo | None,
    country: str | None,
) -> Digest | None:
    text = file.text(entry, where)
    if text is None:
        return None
    days = working_days() if entry.key == "workdays" else frozenset(range(len(WEEKDAYS)))
    if entry.key == "weekly":
        name, _, written = text.value.strip().partition(" ")
        at = parse_time(written.strip())
        if name not in WEEKDAYS or at is None:
            people.times.note(
                text.line,
                f"{where}: weekly {text.value} is no day and time; write it as in mon 08:00",
            )
            return None
        days = frozenset({WEEKDAYS.index(name)})
    else:
        at = people.times.time_of_day(entry, where)
    return None if at is None or zone is None else Digest(at, zone, days, country)


def _country(
    file: YamlFile, mistakes: Mistakes, keys: Mapping[str, Entry], where: str
) -> str | None:
    text = file.text(keys.get("country"), where)
    if text is None:
        if "workdays" in keys:
            mistakes.add(
                keys["workdays"].line,
                f"{where}: workdays needs to know whose holidays: add country: SE",
            )
        return None
    if text.value not in COUNTRIES:
        meant = suggestion(text.value, COUNTRIES, "it is one of")
        mistakes.add(text.line, f"{where}: the holidays of {text.value} are not known; {meant}")
    return text.value
