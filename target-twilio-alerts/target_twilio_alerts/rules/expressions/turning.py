"""On which days the answer of a condition may turn by time alone, for one document."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.rules.expressions.compile import compile_node
from target_twilio_alerts.rules.expressions.nodes import Arithmetic, Compare, Negative, Node, Today

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_twilio_alerts.rules.expressions.compile import Evaluate, Values
    from target_twilio_alerts.rules.expressions.condition import Condition
    from target_twilio_alerts.rules.surroundings import Surroundings


class Turning:
    """The comparisons of a condition that name today: each is linear in it.

    So between two of the days that `days` gives, nothing turns, and nobody need look.

    Args:
        condition: A condition with a clock.
    """

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._sides: list[tuple[Evaluate, Evaluate, int]] = [
            (compile_node(node.left), compile_node(node.right), steps)
            for node in condition.tree.walk()
            if isinstance(node, Compare) and (steps := _steps(node.left) - _steps(node.right))
        ]

    def days(self, values: Values, around: Surroundings) -> set[date]:
        """The days after that of ``around`` on which the condition may begin to hold.

        Days on which it surely does not hold are left out.
        """
        today = around.today
        if today is None:
            return set()
        found = {
            day
            for left, right, steps in self._sides
            for day in _crossings(
                left(values, None, around), right(values, None, around), steps, today
            )
        }
        if self._condition.uses_rates or self._condition.recent_days:
            return found  # what else it depends on may be another thing by then
        answer = self._condition.answer
        return {
            day for day in found if answer(values, None, around._replace(today=day)) is not False
        }


def _steps(node: Node) -> int:
    """How many days the value of a node goes on with each day that passes."""
    if isinstance(node, Today):
        return 1
    if isinstance(node, Negative):
        return -_steps(node.operand)
    if isinstance(node, Arithmetic):
        right = _steps(node.right)
        return _steps(node.left) + (right if node.operator == "+" else -right)
    return 0


def _crossings(left: Any, right: Any, steps: int, today: date) -> Iterator[date]:
    """The day on which two values meet or have passed each other, and the one after."""
    if left is None or right is None:
        return
    apart = left - right
    first = -(apart.days // steps)
    for days in (first, first + 1):
        if days > 0 and days <= (date.max - today).days:
            yield today + timedelta(days=days)
