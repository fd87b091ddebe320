"""Loads the alerts file: every mistake in it is told at once, with its line and its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules.addressees import Addressees
from target_twilio_alerts.rules.entity_entries import EntityEntries
from target_twilio_alerts.rules.limits_entry import read_limits
from target_twilio_alerts.rules.mistakes import Mistakes
from target_twilio_alerts.rules.model import Alerts
from target_twilio_alerts.rules.owner_entry import read_owner
from target_twilio_alerts.rules.rates_entry import RatesEntry
from target_twilio_alerts.rules.recipients import People
from target_twilio_alerts.rules.rule_entries import RuleEntries
from target_twilio_alerts.rules.yaml_file import YamlFile

if TYPE_CHECKING:
    from pathlib import Path

FILE_KEYS = (
    "recipients",
    "groups",
    "rotations",
    "rules",
    "timezone",
    "rates",
    "entities",
    "limits",
    "operators",
)


def load_alerts(path: Path) -> Alerts:
    """Load and check the alerts file.

    Args:
        path: A YAML file in UTF-8.

    Raises:
        AlertsFileError: It is missing, unreadable, or has mistakes; the text has them all.
    """
    mistakes = Mistakes(path)
    file = YamlFile(path, mistakes)
    mistakes.raise_any()
    assert file.root is not None  # noqa: S101 - else there was a mistake
    given = file.entries(file.root, 1, "the file", FILE_KEYS)
    people = People(file, mistakes)
    zone_name = file.text(given.get("timezone"), "the file")
    zone = people.set_zone(zone_name)
    # A zone that cannot be used is one mistake already: rules that need it are told no other.
    given_zone = "" if "timezone" in given else None
    recipients = people.recipients(given.get("recipients"))
    groups = people.groups(given.get("groups"), recipients, file.names(given.get("rotations")))
    rotations = people.rotations(given.get("rotations"), recipients, groups)
    entity_entries = EntityEntries(file, mistakes)
    own = entity_entries.entities(given.get("entities"))
    addressees = Addressees(mistakes, recipients=recipients, groups=groups, rotations=rotations)
    entries = RuleEntries(
        file,
        mistakes,
        people=people,
        addressees=addressees,
        entities={**ENTITIES, **own},
        broken=entity_entries.broken,
        zone=zone_name.value if zone_name is not None else given_zone,
    )
    rules = entries.rules(given.get("rules"))
    rates = RatesEntry(file, mistakes).rates(given.get("rates"), rules)
    limits = read_limits(file, mistakes, given.get("limits"), addressees)
    operators = read_owner(file, addressees, given.get("operators"), "operators")
    mistakes.raise_any()
    return Alerts(
        recipients=recipients,
        groups=groups,
        rules=tuple(rule for rule in rules if rule.enabled),
        timezone=zone,
        path=path,
        rates=rates,
        own_entities=own,
        rotations=rotations,
        limits=limits,
        operators=operators,
        disabled=tuple(rule for rule in rules if not rule.enabled),
    )
