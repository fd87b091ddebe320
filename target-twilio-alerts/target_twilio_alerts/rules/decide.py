"""One pure decision for every command: does a rule alert on this version of a document?

A rule alerts when its condition becomes true: it holds now and did not hold before, both decided
with one context. Unknown is no answer; the last decided one counts.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from target_twilio_alerts.rules.expressions import show_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.rules.model import Rule


class Outcome(str, Enum):
    """What becomes of a record that meets a rule: exactly one of these."""

    NO_MATCH = "no_match"
    """The condition does not hold, or the rule does not apply."""
    ALREADY_TRUE = "already_true"
    """It holds, and did so before."""
    ALERT = "alert"
    """It became true."""
    UNDECIDED = "undecided"
    """A value that it needs is unknown."""
    BASELINE = "baseline"
    """The document was there when the stream was first read."""
    STALE = "stale"
    """The record is older than what is known already."""
    DELETED = "deleted"
    """The record tells that the document is gone."""
    MALFORMED = "malformed"
    """The record has no key that can be read, so it is no document."""


class Decision(NamedTuple):
    """What a rule decided of one version of a document.

    Attributes:
        outcome: One of no_match, already_true, alert, undecided.
        answer: Whether the condition holds; None if that cannot be decided.
        remember: With an undecided answer, the last decided one, to be given to the next decision;
            else None.
        why: Writes the reason.
    """

    outcome: Outcome
    answer: bool | None
    remember: bool | None
    why: Callable[[], str]

    @property
    def reason(self) -> str:
        """Why, in one line; written when it is asked for, since most decisions tell nobody."""
        return self.why()


def decide(
    rule: Rule,
    current: Mapping[str, Value],
    previous: Mapping[str, Value] | None,
    *,
    today: date | None,
    previous_today: date | None = None,
    remembered: bool | None = None,
) -> Decision:
    """Decide a version that has arrived.

    Args:
        rule: The rule.
        current: The version's values.
        previous: The values of the newest version known before; None if there was none.
        today: The day in the company's zone; None if no zone is set.
        previous_today: The day on which the previous version was last decided; None: today.
        remembered: What the decision of the previous version gave as `remember`.
    """
    condition = rule.condition
    if condition.uses_previous:
        return _decide_event(rule, current, previous, today=today)

    def now() -> str:
        return condition.explain(current, None, today)

    answer: bool | None = condition.answer(current, None, today)
    if answer is False:
        return Decision(Outcome.NO_MATCH, answer, None, now)
    before = None
    if previous is not None:
        day = today if previous_today is None else previous_today
        before = condition.answer(previous, None, day)
        if before is None:
            before = remembered
    if answer is None:
        return Decision(Outcome.UNDECIDED, None, before, now)
    if not before:
        return Decision(Outcome.ALERT, answer, None, now)
    changed = _changed(rule, current, previous or {})
    if changed:
        return Decision(
            Outcome.ALERT,
            answer,
            None,
            lambda: f"{_change(changed, current, previous or {})} while it stayed true: {now()}",
        )
    return Decision(Outcome.ALREADY_TRUE, answer, None, lambda: f"it was true before: {now()}")


def decide_by_clock(
    rule: Rule,
    values: Mapping[str, Value],
    *,
    today: date,
    last: date,
    remembered: bool | None = None,
) -> Decision:
    """Decide a document that nobody has touched: has it become true by the passing of time?

    Args:
        rule: The rule. One that names `previous` waits for a change, and one without the clock
            cannot become true by it.
        values: The newest version's values.
        today: The day in the company's zone.
        last: The day on which this version was last decided.
        remembered: The last decided answer, if this version was undecided.
    """
    if rule.condition.uses_previous:
        return Decision(Outcome.NO_MATCH, None, None, lambda: "the document has not changed")
    decision = decide(
        rule,
        values,
        values,
        today=today,
        previous_today=last,
        remembered=remembered,
    )
    if decision.outcome is not Outcome.ALERT:
        return decision
    return Decision(
        Outcome.ALERT,
        decision.answer,
        None,
        lambda: f"{decision.reason} (became true with time, after {last.isoformat()})",
    )


def _decide_event(
    rule: Rule,
    current: Mapping[str, Value],
    previous: Mapping[str, Value] | None,
    *,
    today: date | None,
) -> Decision:
    """Decide a rule that names `previous`: at each change anew, whatever it said before."""
    if previous is None:
        return Decision(
            Outcome.NO_MATCH,
            None,
            None,
            lambda: "there is no previous version to compare with",
        )
    answer: bool | None = rule.condition.answer(current, previous, today)
    decided = Outcome.ALERT if answer else Outcome.NO_MATCH
    outcome = Outcome.UNDECIDED if answer is None else decided
    return Decision(
        outcome,
        answer,
        None,
        lambda: rule.condition.explain(current, previous, today),
    )


def _changed(
    rule: Rule,
    current: Mapping[str, Value],
    previous: Mapping[str, Value],
) -> list[str]:
    return [name for name in rule.again_on if current.get(name) != previous.get(name)]


def _change(
    names: list[str],
    current: Mapping[str, Value],
    previous: Mapping[str, Value],
) -> str:
    return " and ".join(
        f"{name} changed from {show_value(previous.get(name))} to {show_value(current.get(name))}"
        for name in names
    )
