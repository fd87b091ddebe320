"""What the alerts file says, checked: recipients, rules, and the day's zone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from target_twilio_alerts.documents import PRESETS
from target_twilio_alerts.rules.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta, tzinfo
    from decimal import Decimal
    from pathlib import Path

    from target_twilio_alerts.documents import Entity
    from target_twilio_alerts.rules.digest import Digest
    from target_twilio_alerts.rules.expressions import Condition
    from target_twilio_alerts.rules.people import Recipient, Rotation
    from target_twilio_alerts.rules.prices import Prices

CHANNELS = ("sms", "email", "whatsapp", "voice")
SEVERITIES = ("low", "normal", "high", "critical")
"""From the least to the most urgent."""

ONCE_PER = ("document", "counterparty", "day")
"""What a rule may alert once for; several go together, as in once for a counterparty and day."""

DEFAULT_SEVERITY = "normal"


@dataclass(frozen=True)
class Content:
    """A content template at Twilio that WhatsApp approved.

    Attributes:
        sid: HX and 32 hexadecimal digits.
        variables: Its placeholders, each with the field that fills it, such as ("1", "number").
    """

    sid: str
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Owner:
    """Who is told of what is amiss: that a rule cannot decide, or that messages did not arrive.

    Attributes:
        recipients: Names of recipients and rotations, each once, groups expanded.
        via: Channels, each once: "sms" or "email".
    """

    recipients: tuple[str, ...]
    via: tuple[str, ...]


ACKNOWLEDGED, DELIVERED = "acknowledged", "delivered"
"""What keeps a step of an escalation from being taken."""


@dataclass(frozen=True)
class EscalationStep:
    """Who is told if an alert has found nobody.

    Attributes:
        after: How long after the alert.
        unless: ACKNOWLEDGED or DELIVERED; what is acknowledged is never escalated.
        recipients: Names of recipients and rotations, each once, groups expanded.
        via: Channels, each once.
    """

    after: timedelta
    unless: str
    recipients: tuple[str, ...]
    via: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A condition, and whom to tell when it becomes true.

    Attributes:
        name: Its key in the file.
        entity: Whose documents it decides.
        condition: When it holds.
        recipients: Names of recipients and rotations, each once, groups expanded.
        via: Channels, each once.
        severity: One of SEVERITIES.
        template: Name of the company's own template, if it names one.
        again_on: Fields whose change alerts anew while the condition stays true.
        line: Its line in the file, from 1.
        zone: Name of the zone that `today` is taken in, if the file names one.
        companies: Names of the companies that it is for; empty: all.
        once_per: Some of ONCE_PER, for which it alerts once; empty: each time it becomes true.
        max_age: How long ago the document's date may be for an alert; None: any time.
        content: What it sends over WhatsApp; None: free text.
        undecided: Who is told of documents that it cannot decide; None: nobody.
        max_segments: How many segments its SMS may have; None: as many as they need.
        fallback: Channels for recipients who have opted out of another, the first that works.
        enabled: Whether it decides anything.
        escalation: Who is told next, in the order of time.
        digest: When its alerts are told together; None: each at once.
        validity: How long a message of it is of use; None: always.
    """

    name: str
    entity: Entity
    condition: Condition
    recipients: tuple[str, ...]
    via: tuple[str, ...]
    severity: str = DEFAULT_SEVERITY
    template: str | None = None
    again_on: tuple[str, ...] = ()
    line: int = 1
    zone: str | None = None
    max_age: timedelta | None = None
    once_per: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    content: Content | None = None
    max_segments: int | None = None
    undecided: Owner | None = None
    fallback: tuple[str, ...] = ()
    enabled: bool = True
    escalation: tuple[EscalationStep, ...] = ()
    digest: Digest | None = None
    validity: timedelta | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """All channels that it may send over, each once."""
        others = () if self.undecided is None else self.undecided.via
        return tuple(dict.fromkeys((*self.alert_channels, *others)))

    @property
    def alert_channels(self) -> tuple[str, ...]:
        """The channels that tell its alerts, first or later, each once."""
        later = [channel for step in self.escalation for channel in step.via]
        return tuple(dict.fromkeys((*self.via, *self.fallback, *later)))

    @property
    def severity_rank(self) -> int:
        """A number that is higher the more urgent it is: the outbox sorts by it."""
        return SEVERITIES.index(self.severity)

    @cached_property
    def when(self) -> str:
        """The condition as it was written, on one line."""
        return " ".join(filter(None, map(str.strip, self.condition.text.splitlines())))

    @cached_property
    def decided_by(self) -> str:
        """What makes a decision, as JSON; whom it tells, and how, is no part of that."""
        parts: dict[str, str | list[str] | None] = {
            "entity": self.entity.name,
            "when": self.condition.normal,
            "again_on": sorted(self.again_on),
            "timezone": self.zone if self.condition.uses_clock else None,
        }
        if self.companies:
            parts["companies"] = sorted(self.companies)
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what makes a decision."""
        return hashlib.sha256(self.decided_by.encode()).hexdigest()


PER_RECIPIENT = 100
"""Messages to a recipient in an hour, unless the file says otherwise: more nobody reads."""


@dataclass(frozen=True)
class Limits:
    """How much is told at most; the rest is held.

    Attributes:
        per_run: Messages of a run.
        per_hour: Messages in an hour.
        per_rule: Messages of a rule in an hour.
        per_recipient: Messages to a recipient in an hour.
        cost_per_day: What messages may cost in a day, predicted, in the currency of the prices.
        prices: What messages cost.
        recipients: Who hears that messages were held.
        via: Over which channels.
    """

    per_run: int | None = None
    per_hour: int | None = None
    per_rule: int | None = None
    per_recipient: int | None = PER_RECIPIENT
    cost_per_day: Decimal | None = None
    prices: Prices | None = None
    recipients: tuple[str, ...] = ()
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alerts:
    """The alerts file.

    Attributes:
        recipients: By name.
        groups: Names of recipients and rotations by name of the group.
        rules: In the order of the file.
        timezone: Zone of `today`; None if the file names none.
        path: The file.
        rates: Currency rates, for rules with `amount_in`.
        own_entities: What the file says of other taps' streams, by name.
        rotations: By name; no recipient or group has the same.
        disabled: Rules that are checked and tested, and decide nothing.
        limits: How much is told at most.
        operators: Who is told of messages that did not arrive; None: nobody.
    """

    recipients: Mapping[str, Recipient]
    groups: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    timezone: tzinfo | None
    path: Path
    rates: Rates = field(default_factory=Rates)
    own_entities: Mapping[str, Entity] = field(default_factory=dict)
    rotations: Mapping[str, Rotation] = field(default_factory=dict)
    disabled: tuple[Rule, ...] = ()
    limits: Limits = field(default_factory=Limits)
    operators: Owner | None = None

    @cached_property
    def entities(self) -> Mapping[str, Entity]:
        """Entities by the stream that brings them, with the fields of records that rules name."""
        own = {entity.stream: entity for entity in self.own_entities.values()}
        named = {rule.entity.stream: rule.entity for rule in (*self.disabled, *self.rules)}
        return {**PRESETS, **own, **named}
