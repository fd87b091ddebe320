"""Who is reached when a rule notifies somebody at a moment: on duty, deputies, quiet hours."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, replace
from datetime import timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime, tzinfo

    from target_twilio_alerts.rules.model import Alerts
    from target_twilio_alerts.rules.people import Recipient

QUIET_HOURS = "quiet hours"
AWAY = "away"

_HANDOVERS = 5
"""How often the turn may pass on while a message is held; then it stays with whom it met last."""


@dataclass(frozen=True)
class Reached:
    """Somebody who is told.

    Attributes:
        recipient: Who.
        because: Why it is they, where the rule does not name them; None where it does.
        not_before: When their quiet hours end, in UTC; None: at once.
        withheld: Why they are told nothing; None: they are told.
    """

    recipient: Recipient
    because: str | None = None
    not_before: datetime | None = None
    withheld: str | None = None


def route(
    alerts: Alerts,
    names: Iterable[str],
    *,
    at: datetime,
    is_critical: bool,
) -> list[Reached]:
    """Whom names of recipients and rotations reach at a moment, each once.

    Who is away is replaced by the deputy, and the deputy by theirs; if all of them are away, the
    first one is told nothing, which is said. What is critical passes quiet hours; what they hold
    goes to whoever is on duty and there when they end.
    """
    reached: dict[str, Reached] = {}
    for name in names:
        one = _reach(alerts, name, at) if is_critical else _reach_awake(alerts, name, at)
        known = reached.get(one.recipient.name)
        if known is not None:
            one = reach_both_ways(known, one)
        reached[one.recipient.name] = one
    return list(reached.values())


def reach_themselves(
    alerts: Alerts, recipient: Recipient, *, at: datetime, is_critical: bool
) -> Reached:
    """How a recipient is reached at a moment, whoever stands in for them."""
    one = Reached(recipient)
    return one if is_critical else _disturb(alerts, one, at)


def reach_both_ways(known: Reached, other: Reached) -> Reached:
    """Somebody who is reached in two ways: told if one of them tells, and as soon."""
    reasons = dict.fromkeys(filter(None, (known.because, other.because)))
    ways = [one for one in (known, other) if one.withheld is None] or [known]
    held = [one.not_before for one in ways]
    return replace(
        ways[0],
        because="; ".join(reasons) or None,
        not_before=None if None in held else min(filter(None, held)),
    )


def zone_of(alerts: Alerts, recipient: Recipient) -> tzinfo:
    """The zone that a recipient's days and hours are told in."""
    if recipient.timezone is not None:
        return zoneinfo.ZoneInfo(recipient.timezone)
    return alerts.timezone or timezone.utc


def _reach(alerts: Alerts, name: str, at: datetime) -> Reached:
    rotation = alerts.rotations.get(name)
    reasons = [] if rotation is None else [f"on duty in {name}"]
    first = alerts.recipients[name if rotation is None else rotation.on_duty(at)]
    recipient, met = first, {first.name}
    while (absence := recipient.absence(_day(alerts, recipient, at))) is not None:
        if absence.deputy in met:
            why = f"{AWAY} until {absence.last.isoformat()}, and so are the deputies"
            return Reached(first, "; ".join(reasons) or None, withheld=why)
        reasons.append(f"deputy of {recipient.name}, away until {absence.last.isoformat()}")
        recipient = alerts.recipients[absence.deputy]
        met.add(recipient.name)
    return Reached(recipient, "; ".join(reasons) or None)


def _reach_awake(alerts: Alerts, name: str, at: datetime) -> Reached:
    one = _disturb(alerts, _reach(alerts, name, at), at)
    for _ in range(_HANDOVERS):
        end = one.not_before
        if end is None:
            break
        then = _reach(alerts, name, end)
        if then.recipient.name == one.recipient.name:
            break
        one = _disturb(alerts, replace(then, not_before=end), end, may_drop=False)
        if one.not_before == end:
            break
    return one


def _day(alerts: Alerts, recipient: Recipient, at: datetime) -> date:
    return at.astimezone(zone_of(alerts, recipient)).date()


def _disturb(alerts: Alerts, one: Reached, at: datetime, *, may_drop: bool = True) -> Reached:
    if one.withheld is not None:
        return one
    hours = one.recipient.quiet_hours
    end = None if hours is None else hours.until(at, zone_of(alerts, one.recipient))
    if hours is None or end is None:
        return one
    is_dropped = hours.drop and may_drop
    return replace(one, withheld=QUIET_HOURS) if is_dropped else replace(one, not_before=end)
