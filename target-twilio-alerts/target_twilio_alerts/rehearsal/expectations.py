"""Compares what a step of a test told with what it must tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from target_twilio_alerts.intake.arrivals import UNDECIDED
from target_twilio_alerts.rehearsal.cases import Problem
from target_twilio_alerts.rehearsal.tally import ALERT, BRAKE, DIGEST, ESCALATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_twilio_alerts.rehearsal.cases import Expected, Step

KINDS = (ALERT, ESCALATION, UNDECIDED, DIGEST, BRAKE)

TOLD_KEYS = (
    "rule",
    "kind",
    "step",
    "recipient",
    "via",
    "text",
    "contains",
    "subject",
    "locale",
    "segments",
    "encoding",
    "cost",
    "state",
    "reason",
    "not_before",
    "because",
)
"""What a test may say of a message."""

_BEGINNINGS = {"reason", "because"}
"""What a message's value need only begin with."""


@dataclass(frozen=True)
class Message:
    """A message that a step has brought.

    Attributes:
        rules: The rules that it tells of; none for a summary of the flood brake.
        values: By TOLD_KEYS, as text; None where it has none.
    """

    rules: tuple[str, ...]
    values: Mapping[str, str | None]

    def __str__(self) -> str:
        of = f"{' and '.join(self.rules)} " if self.rules else ""
        values = self.values
        kind = "" if values["kind"] == ALERT else f"{values['kind']}, "
        return f"{of}told {values['recipient']} by {values['via']} ({kind}{values['state']})"


def differences(
    step: Step,
    told: Sequence[Message],
    decided: Mapping[str, Sequence[str]],
    *,
    rule: str | None,
) -> Iterator[Problem]:
    """What a step was to tell and did not, and what it told though it was not to.

    Args:
        step: The step.
        told: What it told.
        decided: What each rule decided of its documents.
        rule: The rule of messages that name none.
    """
    left = list(told)
    missed = []
    for expected in step.told or ():
        wanted = _wanted(expected, rule)
        found = next((one for one in left if not _misses(one, wanted, expected)), None)
        if found is None:
            missed.append((expected, wanted))
        else:
            left.remove(found)
    for expected, wanted in missed:
        nearest = min(left, key=lambda one: len(_misses(one, wanted, expected)), default=None)
        if nearest is None:
            what = f"expected {_shown(wanted)}, but nobody {'else ' if told else ''}was told"
            outcomes = decided.get(wanted.get("rule", ""), ())
            what += f" (the rule decided {', '.join(sorted(outcomes))})" if outcomes else ""
        else:
            left.remove(nearest)
            what = f"{nearest}: {'; '.join(_misses(nearest, wanted, expected))}"
        yield Problem(expected.line, what, step.number, step.at)
    for one in left:
        what = f"expected nobody{' else' if step.told else ''}, but {one}: {one.values['text']}"
        yield Problem(step.line, what, step.number, step.at)


def decisions(step: Step, found: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Rules that did not decide the documents of a step as they must."""
    for one in step.outcomes:
        decided = sorted(found.get(one.rule, ()))
        if decided != sorted(one.outcomes):
            wanted, was = (", ".join(names) or "nothing" for names in (one.outcomes, decided))
            what = f"expected {one.rule} to decide {wanted}, but it was {was}"
            yield Problem(one.line, what, step.number, step.at)


def _wanted(expected: Expected, rule: str | None) -> Mapping[str, str]:
    if rule is None or expected.wanted.get("kind") == BRAKE:
        return expected.wanted
    return {"rule": rule, **expected.wanted}


def _misses(one: Message, wanted: Mapping[str, str], expected: Expected) -> list[str]:
    """How a message is not as expected."""
    misses = []
    for name, value in wanted.items():
        found = " and ".join(one.rules) or None if name == "rule" else one.values[name]
        same = value in one.rules if name == "rule" else _is_same(name, value, found)
        if not same:
            was = "there was none" if found is None else f"it was {found!r}"
            misses.append(f"expected {name} {value!r}, but {was}")
    text = one.values["text"] or ""
    absent = [part for part in expected.contains if part not in text]
    return misses + [f"expected {part!r} in the text, but it was {text!r}" for part in absent]


def _is_same(name: str, value: str, found: str | None) -> bool:
    if found is None:
        return False
    if name == "not_before":
        return datetime.fromisoformat(found) == datetime.fromisoformat(value)
    if name in _BEGINNINGS:
        return found.startswith(value)
    return found == (" ".join(value.split()) if name in {"text", "subject"} else value)


def _shown(wanted: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in wanted.items())
