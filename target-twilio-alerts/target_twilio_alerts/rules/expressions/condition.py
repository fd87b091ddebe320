"""A compiled condition: decides a document's values, and tells why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from target_twilio_alerts.rules.expressions.check import Checker
from target_twilio_alerts.rules.expressions.compile import Evaluate, Values, compile_node, convert
from target_twilio_alerts.rules.expressions.explain import Explanation
from target_twilio_alerts.rules.expressions.nodes import AmountIn, Both, FieldOf, Node, Recent
from target_twilio_alerts.rules.expressions.recent import missing, recent_documents

if TYPE_CHECKING:
    from target_twilio_alerts.documents import Entity
    from target_twilio_alerts.rules.rates import Rate
    from target_twilio_alerts.rules.surroundings import Surroundings


class Verdict(NamedTuple):
    """What a condition says of a document.

    Attributes:
        answer: Whether it holds; None if that cannot be decided.
        unknown: The names that were null and left it undecided.
    """

    answer: bool | None
    unknown: tuple[str, ...] = ()


_HOLDS, _FAILS = Verdict(answer=True), Verdict(answer=False)

UNDECIDED = "cannot be decided"
"""Begins the reason of what is undecided."""


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
        uses_rates: Whether it needs currency rates.
        recent_days: How far from its date it looks at other documents of its group; 0: not at all.
        answer: The fast way to the answer alone; takes what `decide` takes.
    """

    text: str
    normal: str
    fields: tuple[str, ...]
    uses_previous: bool
    uses_clock: bool
    uses_rates: bool
    recent_days: int
    answer: Evaluate
    tree: Node

    def decide(self, current: Values, previous: Values | None, around: Surroundings) -> Verdict:
        """Decide a document.

        Args:
            current: Its values; a missing one is null.
            previous: The values of its previous version; None: all of them are null.
            around: The day, and the rates.
        """
        answer = self.answer(current, previous, around)
        if answer is None:
            names = Explanation(current, previous, around).unknown(self.tree)
            return Verdict(None, tuple(dict.fromkeys(names)))
        return _HOLDS if answer else _FAILS

    def explain(self, current: Values, previous: Values | None, around: Surroundings) -> str:
        """Say in one line why it holds, does not hold, or cannot be decided."""
        verdict = self.decide(current, previous, around)
        if verdict.answer is None:
            missing = list(Explanation(current, previous, around).without_rate(self.tree))
            if verdict.unknown:
                missing.append(f"{_listed(verdict.unknown)} null")
            return f"{UNDECIDED}: {' and '.join(missing)}"
        return Explanation(current, previous, around).words(self.tree)

    def terms(
        self, current: Values, previous: Values | None, around: Surroundings
    ) -> list[tuple[str, bool | None, str]]:
        """Each part between `and` and `or`: the part, its answer, and the values that made it."""
        explanation = Explanation(current, previous, around)
        told = []
        for part in _parts(self.tree):
            answer = compile_node(part)(current, previous, around)
            words = explanation.words(part)
            if answer is None:
                names = tuple(dict.fromkeys(explanation.unknown(part)))
                missing = list(explanation.without_rate(part))
                missing += [f"{_listed(names)} null"] if names else []
                words = " and ".join(missing)
            told.append((part.render(), answer, words))
        return told

    def rates_used(self, current: Values, around: Surroundings) -> list[Rate]:
        """The rates that decide a document, for the trail; none for amounts in their currency."""
        named = [each for each in self.tree.walk() if isinstance(each, AmountIn)]
        converted = [convert(each, current, around) for each in dict.fromkeys(named)]
        return [one.rate for one in converted if one is not None and one.rate is not None]

    def others_used(self, current: Values, around: Surroundings) -> dict[str, list[str]]:
        """For each function over recent documents, the numbers of those that it found."""
        named = [each for each in self.tree.walk() if isinstance(each, Recent)]
        return {
            each.render(): [
                str(one.get("number")) for one in recent_documents(each, current, around)
            ]
            for each in dict.fromkeys(named)
            if not missing(each, current)
        }


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
        uses_rates=any(isinstance(each, AmountIn) for each in tree.walk()),
        recent_days=max((each.days for each in tree.walk() if isinstance(each, Recent)), default=0),
        answer=compile_node(tree),
        tree=tree,
    )


def _parts(node: Node) -> list[Node]:
    if isinstance(node, Both):
        return [part for term in node.terms for part in _parts(term)]
    return [node]


def _listed(names: tuple[str, ...]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last} are" if most else f"{last} is"
