"""One pure decision for every command: does a rule alert on this version of a document?

A rule alerts when its condition becomes true: it holds now and did not hold before, both decided
with one context. Unknown is no answer; the last decided one counts.
"""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from target_twilio_alerts.rules.expressions import show_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.rules.model import Rule
    from target_twilio_alerts.rules.surroundings import Surroundings


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
    ALREADY_TOLD = "already_told"
    """It became true, but the rule has alerted for the like of it, as its `once_per` says."""
    TOO_OLD = "too_old"
    """It became true, but the document is older than the rule's `max_age`."""
    DELETED = "deleted"
    """The record tells that the document is gone."""
    MALFORMED = "malformed"
    """The record has no key that can be read, so it is no document."""


class Decision(NamedTuple):
    """What a rule decided of one version of a document.

    Attributes:
        outcome: One of no_match, already_true, alert, too_old, undecided.
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
    around: Surroundings,
    before_on: date | None = None,
    remembered: bool | None = None,
) -> Decision:
    """Decide a version that has arrived.

    Args:
        rule: The rule.
        current: The version's values.
        previous: The values of the newest version known before; None if there was none.
        around: The day in the company's zone, and the rates.
        before_on: The day on which the previous version was last decided; None: today.
        remembered: What the decision of the previous version gave as `remember`.
    """
    if rule.companies and current.get("company") not in rule.companies:
        return Decision(Outcome.NO_MATCH, None, None, lambda: _of_another_company(rule, current))
    decision = _decide(
        rule,
        current,
        previous,
        around=around,
        before_on=before_on,
        remembered=remembered,
    )
    if decision.outcome is Outcome.ALERT and rule.max_age is not None:
        return _young_enough(decision, current, rule.max_age, around.today)
    return decision


def _of_another_company(rule: Rule, current: Mapping[str, Value]) -> str:
    return (
        f"the rule is for {' and '.join(rule.companies)}, the document is of "
        f"{show_value(current.get('company'))}"
    )


def _decide(
    rule: Rule,
    current: Mapping[str, Value],
    previous: Mapping[str, Value] | None,
    *,
    around: Surroundings,
    before_on: date | None,
    remembered: bool | None,
) -> Decision:
    condition = rule.condition
    if condition.uses_previous:
        return _decide_event(rule, current, previous, around=around)

    def now() -> str:
        return condition.explain(current, None, around)

    answer: bool | None = condition.answer(current, None, around)
    if answer is False:
        return Decision(Outcome.NO_MATCH, answer, None, now)
    before = None
    if previous is not None:
        earlier = around if before_on is None else around._replace(today=before_on)
        before = condition.answer(previous, None, earlier)
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


def _young_enough(
    decision: Decision,
    current: Mapping[str, Value],
    max_age: timedelta,
    today: date | None,
) -> Decision:
    """An alert only of a document whose date is not longer ago than that; without a date, one."""
    day = current.get("date")
    if today is None or not isinstance(day, date) or today - day <= max_age:
        return decision
    return Decision(
        Outcome.TOO_OLD,
        decision.answer,
        None,
        lambda: (
            f"its date {day.isoformat()} is more than {max_age.days} days ago: {decision.reason}"
        ),
    )


def decide_by_clock(
    rule: Rule,
    values: Mapping[str, Value],
    *,
    around: Surroundings,
    last: date,
    remembered: bool | None = None,
) -> Decision:
    """Decide a document that nobody has touched: has it become true by the passing of time?

    Args:
        rule: The rule. One that names `previous` waits for a change, and one without the clock
            cannot become true by it.
        values: The newest version's values.
        around: The day in the company's zone, and the rates.
        last: The day on which this version was last decided.
        remembered: The last decided answer, if this version was undecided.
    """
    if rule.condition.uses_previous:
        return Decision(Outcome.NO_MATCH, None, None, lambda: "the document has not changed")
    decision = decide(
        rule,
        values,
        values,
        around=around,
        before_on=last,
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
    around: Surroundings,
) -> Decision:
    """Decide a rule that names `previous`: at each change anew, whatever it said before."""
    if previous is None:
        return Decision(
            Outcome.NO_MATCH,
            None,
            None,
            lambda: "there is no previous version to compare with",
        )
    answer: bool | None = rule.condition.answer(current, previous, around)
    decided = Outcome.ALERT if answer else Outcome.NO_MATCH
    outcome = Outcome.UNDECIDED if answer is None else decided
    return Decision(
        outcome,
        answer,
        None,
        lambda: rule.condition.explain(current, previous, around),
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
