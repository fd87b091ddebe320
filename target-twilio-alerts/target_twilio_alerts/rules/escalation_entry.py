"""Escalations of a rule: who is told next, after how long, unless somebody has acted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.rules.durations import parse_duration
from target_twilio_alerts.rules.model import ACKNOWLEDGED, DELIVERED, EscalationStep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from target_twilio_alerts.rules.addressees import Addressees
    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.yaml_file import Entry, YamlFile

ESCALATION_KEYS = ("after", "unless", "notify", "via")
ESCALATION_CHANNELS = ("sms", "email", "voice")
"""Channels whose words need no template that somebody approved."""

UNLESS = (ACKNOWLEDGED, DELIVERED)
_CONFIRMED = frozenset({"sms", "whatsapp"})
"""Channels of which we hear that a message was delivered."""


def read_escalation(
    file: YamlFile,
    mistakes: Mistakes,
    entry: Entry | None,
    *,
    addressees: Addressees,
    via: Mapping[str, int],
    where: str,
) -> tuple[EscalationStep, ...]:
    """Read `escalate`: one step, or a list of them in the order of time.

    Args:
        file: The file.
        mistakes: Takes the mistakes.
        entry: It; None if there is none.
        addressees: Checks who is told.
        via: Channels of the rule itself.
        where: The rule, as mistakes begin.
    """
    if entry is None:
        return ()
    where = f"{where}: escalate"
    steps: list[EscalationStep] = []
    for item in file.items(entry, where):
        given = file.entries(item.node, item.line, where, ESCALATION_KEYS)
        file.need(given, ("after", "notify", "via"), item.line, where)
        after = _after(file, mistakes, given.get("after"), where)
        unless = file.text(given.get("unless"), where)
        if unless is not None and unless.value not in UNLESS:
            mistakes.add(
                unless.line, f"{where}: unless is {' or '.join(UNLESS)}, not {unless.value}"
            )
        if unless is not None and unless.value == DELIVERED and not _CONFIRMED & via.keys():
            mistakes.add(
                unless.line,
                f"{where}: of email and calls nobody hears that it reached them; write unless: "
                f"{ACKNOWLEDGED}",
            )
        notify = file.texts(given.get("notify"), where)
        channels = addressees.one_of(
            file.texts(given.get("via"), where),
            ESCALATION_CHANNELS,
            where,
            "{} is no channel for it",
        )
        addressees.check(notify, channels, where)
        if after is None:
            continue
        if steps and after <= steps[-1].after:
            mistakes.add(
                given["after"].line,
                f"{where}: each step comes later than the one before, counted from the alert; "
                "raise after",
            )
        steps.append(
            EscalationStep(
                after=after,
                unless=ACKNOWLEDGED if unless is None else unless.value,
                recipients=addressees.names(notify),
                via=tuple(channels),
            ),
        )
    return tuple(steps)


def _after(file: YamlFile, mistakes: Mistakes, entry: Entry | None, where: str) -> timedelta | None:
    text = file.text(entry, where)
    if text is None:
        return None
    span = parse_duration(text.value)
    if span is None:
        mistakes.add(
            text.line, f"{where}: after {text.value} is no span; write it as in 15m, 4h or 2d"
        )
    return span
