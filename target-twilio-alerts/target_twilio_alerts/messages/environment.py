"""The Jinja2 sandbox that templates run in: our filters, strict names, capped sizes."""

from __future__ import annotations

import traceback
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from target_twilio_alerts.messages.context import TemplateError, TemplateProblem
from target_twilio_alerts.messages.facts import capitalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jinja2 import Template
    from jinja2.runtime import Context

    from target_twilio_alerts.messages.locales import Formats

MAX_SOURCE = 32_000
"""Characters in one template file."""

MAX_OUTPUT = 64_000
"""Characters that one template may print."""

_MAX_RANGE = 1000
_MAX_POWER = 64

_FOREIGN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 for one locale. It guards against accidents in a template, not against its author."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, formats: Formats, *, autoescape: bool) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=autoescape,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=self._finalize,
            cache_size=0,
        )
        self.formats = formats
        self.globals = {"range": _small_range}
        self.filters.update(
            money=self._money,
            number=self._number,
            date=self._date,
            label=formats.label,
            capitalise=capitalise,
        )
        # Prints of any width, and Python's own representation of values.
        for name in ("center", "format", "pprint", "random", "filesizeformat"):
            del self.filters[name]

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse products that would fill the memory."""
        if operator == "*" and not (_is_number(left) and _is_number(right)):
            raise SecurityError("only numbers can be multiplied")
        if operator == "**" and (not _is_number(right) or abs(right) > _MAX_POWER):
            raise SecurityError("the power is too large")
        return super().call_binop(context, operator, left, right)

    def _finalize(self, value: Any) -> Any:
        """Print a plain `{{ field }}` as its reader writes it."""
        if value is None or isinstance(value, (bool, Decimal, date, tuple)):
            return self.formats.value("", value)
        return value

    def _money(self, value: Any, currency: str | None = None) -> str:
        if value is None:
            return self.formats.phrase("unknown")
        return self.formats.money(_exact(value, "money"), currency)

    def _number(self, value: Any, decimals: int = 0) -> str:
        if value is None:
            return self.formats.phrase("unknown")
        return self.formats.number(_exact(value, "number"), min(decimals, 6))

    def _date(self, value: Any) -> str:
        if value is None:
            return self.formats.phrase("unknown")
        if not isinstance(value, date):
            raise TypeError(f"the filter date needs a date, not {_kind(value)}")
        return self.formats.date(value)


def _small_range(*arguments: int) -> range:
    found = range(*arguments)
    if len(found) > _MAX_RANGE:
        raise SecurityError(f"a range has at most {_MAX_RANGE} items")
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal, float))


def _exact(value: Any, name: str) -> Decimal:
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        return Decimal(value)
    raise TypeError(f"the filter {name} needs a number, not {_kind(value)}")


def _kind(value: Any) -> str:
    kinds = {str: "text", bool: "yes or no", tuple: "a list"}
    return kinds.get(type(value), type(value).__name__)


class Compiled:
    """One template, ready to run again and again. Safe to use from several threads at once.

    Args:
        sandbox: Where it runs.
        source: Its text.
        file: The name for error messages.

    Raises:
        TemplateError: The syntax is wrong, or it asks for something the sandbox does not give.
    """

    def __init__(self, sandbox: Sandbox, source: str, file: str) -> None:
        self.file = file
        if len(source) > MAX_SOURCE:
            self._fail(None, "the file is too long", f"keep it under {MAX_SOURCE} characters")
        try:
            self.tree = sandbox.parse(source, file, file)
            foreign = next(self.tree.find_all(_FOREIGN), None)
            if foreign is not None:
                what = type(foreign).__name__.lower()
                self._fail(foreign.lineno, f"{what} is not possible", "put all text in one file")
            code = sandbox.compile(source, file, file)
        except TemplateSyntaxError as error:
            what = (error.message or "the syntax is wrong").rstrip(".")
            self._fail(error.lineno, what, "correct the Jinja syntax of this line")
        self._template: Template = sandbox.template_class.from_code(sandbox, code, sandbox.globals)

    def render(self, variables: Mapping[str, Any]) -> str:
        """Run the template.

        Raises:
            TemplateError: It failed, with the line and what to do.
        """
        parts, length = [], 0
        try:
            for part in self._template.generate(variables):
                length += len(part)
                parts.append(part)
                if length > MAX_OUTPUT:
                    break
        except UndefinedError as error:
            what = (error.message or "a name is unknown").replace("'None' has", "nothing here has")
            self._fail(self._line(error), what, self._mend(what, variables))
        except Exception as error:  # noqa: BLE001 - a template can raise anything; the alert goes out all the same
            what = str(error).strip() or type(error).__name__
            self._fail(self._line(error), what, "correct this line")
        if length > MAX_OUTPUT:
            self._fail(None, f"the text is longer than {MAX_OUTPUT} characters", "shorten it")
        return "".join(parts)

    def _line(self, error: BaseException) -> int | None:
        frames = traceback.extract_tb(error.__traceback__)
        return next((one.lineno for one in reversed(frames) if one.filename == self.file), None)

    def _mend(self, what: str, variables: Mapping[str, Any]) -> str:
        name = what.split("'")[1] if what.count("'") > 1 else ""
        if variables.get("previous") is None and "nothing here has" in what:
            return "a new document has no previous: put this in {% if previous %}"
        return did_you_mean(name, variables)

    def _fail(self, line: int | None, what: str, mend: str) -> NoReturn:
        problem = TemplateProblem(self.file, line, " ".join(what.split()), mend)
        raise TemplateError(problem) from None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, else list them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
