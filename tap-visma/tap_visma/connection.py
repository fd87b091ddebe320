"""The connection check, for people: whom the settings reach, and what each company lets be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_visma import answers
from tap_visma.bookmarks import Progress
from tap_visma.client import pause_before
from tap_visma.errors import (
    AccessError,
    LimitReachedError,
    TapError,
    TransientError,
    UnreachableError,
)
from tap_visma.kinds import Filter
from tap_visma.stream import VismaStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from tap_visma.answers import Answer
    from tap_visma.company import Company

READ = "vismanet_erp_service_api:read"
"""The scope that reading needs."""

_FUTURE = "2099-01-01T00:00:00"
"""Nothing was modified since: the cheapest that a list with a filter can be asked for."""

_FORBIDDEN = 403
_TRIES = 2


@dataclass(frozen=True)
class Found:
    """What became of one list.

    Attributes:
        status: In a word or two, such as `ok` or `403`.
        told: Why, and how to mend it; empty if there is nothing to mend.
    """

    status: str
    told: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the list can be read."""
        return self.status == "ok"


_LEFT = Found("not checked")
"""Of a list that was left because nothing of the company can be read."""


class ConnectionCheck:
    """Asks each list of each company for as little as it can be asked for, and prints a table.

    Args:
        companies: Whom to ask, one after the other.
        streams: What to ask for.
        tell: Prints one line.
    """

    def __init__(
        self,
        companies: Sequence[Company],
        streams: Sequence[VismaStream],
        *,
        tell: Callable[[str], object],
    ) -> None:
        self._companies = companies
        self._streams = streams
        self._tell = tell

    def run(self) -> bool:
        """Check everything, whatever fails; whether all is well."""
        are_ok = [self._check(company) for company in self._companies]
        if not self._streams:
            self._tell("No stream is selected, so only tokens were asked for.")
        return all(are_ok)

    def _check(self, company: Company) -> bool:
        name = answers.plain(company.name)
        self._tell(f"{name}, tenant {company.tenant_id}")
        try:
            company.auth.token()
        except AccessError as error:
            self._tell(f"  no token: {error}")
            return False
        self._tell(f"  token for {_scopes(company)}")
        asking = _Asking(company)
        asked = [
            (stream.name, asking.ask(stream)) for stream in sorted(self._streams, key=_has_parts)
        ]
        width = max((len(name) for name, _ in asked), default=0)
        number = left = 0
        for name, future in asked:
            found = future if isinstance(future, Found) else future.result()
            if found is _LEFT:
                left += 1
                continue
            number += found.is_ok
            self._tell(f"  {name:{width}}  {found.status:<11}  {found.told}".rstrip())
        if left:
            self._tell(f"  {left} not checked: {asking.given_up}")
        if asked:
            self._tell(f"  {number} of {len(asked)} can be read")
        return number == len(asked)


class _Asking:
    """Asks one company for its lists, several at once.

    Attributes:
        given_up: Why no list of it is asked for any more.
    """

    def __init__(self, company: Company) -> None:
        self._company = company
        self._first: Future[Found] | None = None
        self._was_answered = False
        self.given_up = ""

    def ask(self, stream: VismaStream) -> Future[Found] | Found:
        """Have a list asked for in one of the company's threads."""
        if _has_parts(stream) and self._first is not None:
            self._first.result()  # does anybody answer? To ask for parts is a read, with more tries
        if self.given_up:
            return _LEFT
        try:
            partitions = stream.partitions_of(self._company)
        except (TapError, LimitReachedError) as error:
            if self._is_of_all(error):
                return _LEFT
            return Found("not checked", f"what it must be asked for is not known: {error}")
        if not partitions:
            return Found("not checked", "the company has nothing that it could be asked for")
        future = self._company.workers.submit(partial(self._try, stream, partitions[0]))
        self._first = self._first or future
        return future

    def _try(self, stream: VismaStream, partition: dict[str, Any]) -> Found:
        for attempt in range(1, _TRIES + 1):
            if self.given_up:
                return _LEFT
            try:
                answer = _answer(self._company, stream, partition)
                self._was_answered = True
                found = _found(self._company, stream, answer)
            except TransientError as error:
                if attempt < _TRIES:
                    self._company.client.pause(pause_before(attempt))
                elif not self._is_of_all(error):
                    return Found("failed", f"{error}; tried {attempt} times")
            except (TapError, LimitReachedError) as error:
                if not self._is_of_all(error):
                    return Found("failed", str(error))
            else:
                return replace(found, told=found.told or _named(partition))
        return _LEFT

    def _is_of_all(self, error: TapError | LimitReachedError) -> bool:
        """Whether no other list can be read either; notes why."""
        is_unreachable = isinstance(error, UnreachableError) and not self._was_answered
        if is_unreachable or isinstance(error, (AccessError, LimitReachedError)):
            self.given_up = self.given_up or str(error)
            return True
        return False


def _has_parts(stream: VismaStream) -> bool:
    """Whether other lists say what a list must be asked for, such as a ledger."""
    return type(stream).partitions_of is not VismaStream.partitions_of


def _named(partition: dict[str, Any]) -> str:
    """Which part of a list was asked for, such as a ledger; empty if there is only the whole."""
    parts = (
        f"{name.removesuffix('_id').replace('_', ' ')} {answers.plain(str(value))}"
        for name, value in partition.items()
    )
    return f"for {', '.join(parts)}" if partition else ""


def _scopes(company: Company) -> str:
    scopes = company.auth.scopes
    if not scopes:
        return "we are not told what"
    lacks = "" if READ in scopes else f", which lacks {READ}: check scope"
    return f"{' '.join(scopes)}{lacks}"


def _answer(company: Company, stream: VismaStream, partition: dict[str, Any]) -> Answer:
    """The answer to the cheapest question that a list can be asked, whatever its status."""
    start = None if stream.filter is Filter.NONE else _FUTURE
    progress = Progress(start=start, page_size=1)
    reading = stream.begin(company, {**company.context, **partition}, progress)
    return company.client.get(stream.path, reading.params(1, 1), accepted=range(1000))


def _found(company: Company, stream: VismaStream, answer: Answer) -> Found:
    """What an answer says of a list.

    Raises:
        TransientError: It may be another one a little later.
    """
    if answer.status == answers.OK:
        page = answers.page(answer, envelope=stream.envelope, text_field=stream.text_field)
        if stream.is_never_empty and stream.filter is Filter.NONE and not page.rows:
            return Found("empty", "no company has none: check tenant_id and company_id")
        return Found("ok")
    told = answers.told(answer)
    if answers.may_pass(answer.status):
        raise TransientError(told)
    mend = answers.mend(answer.status)
    if answer.status == _FORBIDDEN and READ in company.auth.scopes:
        mend = (
            "the token has the scope, so check the role of the API user, and that the company has "
            "this part of Visma.net"
        )
    return Found(str(answer.status), f"{told}: {mend}")
