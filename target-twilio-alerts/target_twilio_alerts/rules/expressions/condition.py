"""A compiled condition: decides a document's values, and tells why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from target_twilio_alerts.rules.expressions.check import Checker
from target_twilio_alerts.rules.expressions.compile import Evaluate, Values, compile_node
from target_twilio_alerts.rules.expressions.explain import Explanation
from target_twilio_alerts.rules.expressions.nodes import (
    FieldOf,
    Node,
)

if TYPE_CHECKING:
    from datetime import date

    from target_twilio_alerts.documents import Entity


class Verdict(NamedTuple):
    """What a condition says of a document.

    Attributes:
        answer: Whether it holds; None if that cannot be decided.
        unknown: The names that were null and left it undecided.
    """

    answer: bool | None
    unknown: tuple[str, ...] = ()


_HOLDS, _FAILS = Verdict(answer=True), Verdict(answer=False)


@dataclass(frozen=True)
class Condition:
    """A condition, checked against an entity and compiled.

    Attributes:
        text: As it was written.
        normal: In one form, whatever its spaces, brackets and number forms: equal conditions of
            that kind have equal ones.
        fields: Names of the fields it uses, of the document or of its previous version.
        uses_previous: Whether it names the previous version.
        uses_clock: Whether it names today.
        answer: The fast way to the answer alone; takes what `decide` takes.
    """

    text: str
    normal: str
    fields: tuple[str, ...]
    uses_previous: bool
    uses_clock: bool
    answer: Evaluate
    tree: Node

    def decide(self, current: Values, previous: Values | None, today: date | None) -> Verdict:
        """Decide a document.

        Args:
            current: Its values; a missing one is null.
            previous: The values of its previous version; None: all of them are null.
            today: The day in the company's zone; None if no zone is set: it is null.
        """
        answer = self.answer(current, previous, today)
        if answer is None:
            names = Explanation(current, previous, today).unknown(self.tree)
            return Verdict(None, tuple(dict.fromkeys(names)))
        return _HOLDS if answer else _FAILS

    def explain(self, current: Values, previous: Values | None, today: date | None) -> str:
        """Say in one line why it holds, does not hold, or cannot be decided."""
        verdict = self.decide(current, previous, today)
        if verdict.answer is None:
            return f"cannot be decided: {_listed(verdict.unknown)} null"
        return Explanation(current, previous, today).words(self.tree)


def compile_condition(text: str, entity: Entity) -> Condition:
    """Check a condition and compile it.

    Args:
        text: The condition; it may have several lines.
        entity: The entity whose fields it may name.

    Raises:
        ConditionError: It cannot be understood; the text says where, why, and how to mend it.
    """
    tree = Checker(text, entity).check()
    named = [each for each in tree.walk() if isinstance(each, FieldOf)]
    return Condition(
        text=text,
        normal=tree.render(),
        fields=tuple(dict.fromkeys(each.name for each in named)),
        uses_previous=any(each.previous for each in named),
        uses_clock=tree.uses_clock,
        answer=compile_node(tree),
        tree=tree,
    )


def _listed(names: tuple[str, ...]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last} are" if most else f"{last} is"
