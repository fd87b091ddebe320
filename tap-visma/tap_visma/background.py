"""Lists asked for in the background: accepted at once, made in Visma's own time, then fetched.

For lists that last longer than the four minutes after which Visma ends a request. Source:
contracts/visma-erp.openapi.json, /v1/background; reference: visma-api, section 8.
"""

from __future__ import annotations

import itertools
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from requests.structures import CaseInsensitiveDict

from tap_visma import answers
from tap_visma.client import TRIES, pause_before
from tap_visma.errors import TapError, TransientError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tap_visma.answers import Answer
    from tap_visma.client import Client

logger = logging.getLogger(__name__)

ASKS = 3
"""How often a list is asked for whose answer Visma has lost."""

_HEADER = {"erp-api-background": "none"}
"""`none` means: tell no webhook."""

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_LONGEST_SECONDS = 30 * 60.0

_LOST = (answers.NOT_FOUND, answers.GONE)
_RENEWED = (answers.UNAUTHORIZED, answers.TOO_MANY)
"""What a request in the background may have met that another one would not."""


class _LostError(Exception):
    """Visma no longer knows a request, or has lost its answer."""


@dataclass(frozen=True)
class _Accepted:
    """A request that is under way in the background."""

    client: Client
    reference: str
    is_backfill: bool

    @property
    def name(self) -> str:
        return f"background request {answers.plain(self.reference)}"

    def ask(self, what: str = "", *, accepted: Collection[int]) -> Answer:
        """Ask for its state or its content; what may pass is asked for again.

        Raises:
            TransientError: It did not pass.
        """
        for attempt in itertools.count(1):
            try:
                answer = self.client.get(
                    f"/v1/background/{quote(self.reference, safe='')}{what}",
                    {},
                    is_backfill=self.is_backfill,
                    accepted=accepted,
                )
                if not what and answer.status == answers.OK:
                    _object(answer)
            except TransientError as error:
                if attempt == TRIES:
                    raise
                pause = pause_before(attempt)
                logger.info("%s: trying again in %.1f s: %s", self.name, pause, error)
                self.client.pause(pause)
            else:
                return answer
        raise AssertionError  # for the type checker: the loop has no end


def get(
    client: Client,
    path: str,
    params: Mapping[str, str | int],
    *,
    pause: float = 0.0,
    is_backfill: bool = False,
) -> Answer:
    """The answer to one GET, asked for in the background; as `Client.get` otherwise.

    A server that answers at once is taken at its word. The answer's `Date` is that of its being
    asked for, for it shows what was true at some time between then and now.

    Raises:
        TransientError: It failed in a way that may pass.
        AccessError: The company cannot be read.
        LimitReachedError: A limit lasts longer than we may wait.
        TapError: It failed, was lost `ASKS` times, or is not ready after half an hour.
    """
    for attempt in range(1, ASKS + 1):
        answer = client.get(
            path,
            params,
            pause=pause,
            is_backfill=is_backfill,
            headers=_HEADER,
            accepted=(answers.OK, answers.ACCEPTED),
        )
        if answer.status == answers.OK:
            return answer
        under_way = _Accepted(client, _reference(answer), is_backfill)
        try:
            content = _content(under_way)
        except _LostError as lost:
            logger.info("%s: asking anew: %s", path, lost)
            if attempt == ASKS:
                raise TapError(
                    f"{lost}; asked {ASKS} times: ask for smaller pages (stream_options), or "
                    "leave the stream out of background_streams",
                ) from None
            pause = pause_before(attempt)
        else:
            headers = CaseInsensitiveDict(content.headers)
            headers["Date"] = answer.headers.get("Date", "")
            return replace(content, headers=headers)
    raise AssertionError  # for the type checker: the last round returns or raises


def _reference(answer: Answer) -> str:
    """The id of an accepted request.

    Raises:
        TransientError: The answer tells none.
    """
    said = _object(answer)
    reference = said.get("id")
    if not isinstance(reference, str) or not reference:
        location = said.get("stateLocation")
        reference = location.rstrip("/").rpartition("/")[2] if isinstance(location, str) else ""
    if reference in {"", ".", ".."}:
        raise TransientError(
            "Visma.net accepted a background request without telling its id"
            f"{answers.named(answer.headers)}",
        )
    return reference


def _content(under_way: _Accepted) -> Answer:
    """What was asked for, when it is ready.

    Raises:
        _LostError: It never will be.
    """
    ends_at = time.monotonic() + _LONGEST_SECONDS
    pause = _FIRST_PAUSE_SECONDS
    while True:
        under_way.client.pause(min(pause, _LONGEST_PAUSE_SECONDS))
        pause *= 2
        answer = under_way.ask(accepted=(answers.OK, *_LOST))
        if answer.status in _LOST:
            raise _lost(under_way, answer)
        said = _object(answer)
        status = said.get("status")
        if status == "Finished" and said.get("statusCode") in {answers.OK, 0, None}:
            break
        if status in {"Finished", "Failed"}:
            raise _failed(under_way, said, answer)
        if time.monotonic() >= ends_at:
            raise TapError(
                f"{under_way.name} is not ready after {_LONGEST_SECONDS / 60:.0f} minutes"
                f"{answers.named(answer.headers)}: ask for smaller pages (stream_options)",
            )
    content = under_way.ask("/content", accepted=(answers.OK, *_LOST))
    if content.status in _LOST:
        raise _lost(under_way, content)
    return content


def _lost(under_way: _Accepted, answer: Answer) -> _LostError:
    return _LostError(f"{under_way.name} is lost: {answers.told(answer)}")


def _failed(under_way: _Accepted, said: Mapping[str, Any], answer: Answer) -> TapError:
    """What to say of a request that ended without an answer; it may pass if a direct one could."""
    code = said.get("statusCode")
    code = code if isinstance(code, int) else 0
    text = said.get("errorMessage")
    reason = answers.plain(text) if isinstance(text, str) else ""
    if not reason and said.get("hasResponseContent") is True and code not in _RENEWED:
        reason = _reason(under_way, code)
    told = (
        f"{under_way.name} failed{f' with {code}' if code else ''}"
        f"{f' ({reason})' if reason else ''}{answers.named(answer.headers)}"
    )
    if answers.may_pass(code) or code in _RENEWED:
        return TransientError(told)
    return TapError(f"{told}: {answers.mend(code)}")


def _reason(under_way: _Accepted, code: int) -> str:
    """What the endpoint itself said, if it can be had: its answer has the status it had."""
    try:
        return answers.reason(under_way.ask("/content", accepted=(answers.OK, code)).content)
    except TapError as error:
        logger.info("%s: %s", under_way.name, error)
        return ""


def _object(answer: Answer) -> dict[str, Any]:
    """The fields of an answer.

    Raises:
        TransientError: It has none.
    """
    try:
        said = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise TransientError(
            "the state of a background request is not a JSON object "
            f"({len(answer.content)} bytes){answers.named(answer.headers)}",
        )
    return said
