"""One request to one company's API: signed, within its limits, asked again where that helps."""

from __future__ import annotations

import itertools
import logging
import random
import threading
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import HTTPError

from tap_visma import answers
from tap_visma.answers import Answer
from tap_visma.errors import (
    AccessError,
    LimitReachedError,
    TapError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tap_visma.company import Company

logger = logging.getLogger(__name__)

TRIES = 5
"""How often one page is asked for before we say that it cannot be had."""

_LONGEST_PAUSE_SECONDS = 16.0

_REFUSED = (
    "Visma.net refuses the token (401, twice): check that tenant_id is the company's tenant id and "
    "not the customer's, that the company's integration administrator has approved the "
    "application, and that it has the API role and a licence"
)


class Client:
    """Asks one company's API; for several threads at once.

    Args:
        company: Whose token, limits, headers and connection are used.
    """

    def __init__(self, company: Company) -> None:
        self._company = company
        self._stopping = threading.Event()

    def get(
        self,
        path: str,
        params: Mapping[str, str | int],
        *,
        pause: float = 0.0,
        is_backfill: bool = False,
        headers: Mapping[str, str] | None = None,
        accepted: Collection[int] = (answers.OK,),
    ) -> Answer:
        """The answer to one GET, whole.

        Refusals by a limit and by an old token are dealt with here. What may pass is for the caller
        to ask again, for it may want to ask for less.

        Args:
            path: From the API's root.
            params: The query.
            pause: Seconds to wait before.
            is_backfill: Whether nobody waits for it, so that it may only use a part of the limit.
            headers: Besides those that every request has.
            accepted: The statuses that are no error.

        Raises:
            TransientError: No answer, one that broke off, or a 5xx.
            AccessError: The company cannot be read.
            LimitReachedError: A limit lasts longer than we may wait, or `stop` was called.
            TapError: Any other refusal.
        """
        self.pause(pause)
        limits = self._company.limits
        for attempt in itertools.count(1):
            limits.before_request(backfill=is_backfill)
            try:
                answer, token, broken = self._ask(path, params, headers or {})
            except BaseException:
                limits.no_answer()
                raise
            if answer.status != answers.TOO_MANY:
                limits.after_answer(answer.headers)
                if answer.status != answers.UNAUTHORIZED:
                    break
                if attempt == TRIES or not self._company.auth.refused(token):
                    raise AccessError(f"{_REFUSED}{answers.named(answer.headers)}")
                continue
            seconds = limits.wait_after_refusal(answer.headers)
            if attempt == TRIES:
                raise LimitReachedError(
                    "Visma.net goes on refusing with 429: the next run goes on",
                )
            logger.info("%s: waiting %.1f s: %s", path, seconds, answers.told(answer))
            self.pause(seconds)
        self._company.auth.accepted()
        if answer.status not in accepted:
            if answers.may_pass(answer.status):
                raise TransientError(answers.told(answer))
            raise TapError(f"{answers.told(answer)}: {answers.mend(answer.status)}")
        if broken:
            raise TransientError(broken)
        return answer

    def pause(self, seconds: float) -> None:
        """Wait, unless there is nothing to wait for any more."""
        if seconds > 0:
            self._stopping.wait(seconds)

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._stopping.set()

    def _ask(
        self,
        path: str,
        params: Mapping[str, str | int],
        headers: Mapping[str, str],
    ) -> tuple[Answer, str, str]:
        """An answer, whatever it says; what it was signed with; and what was wrong with its body.

        Raises:
            TransientError: There is none.
            AccessError: There is no token to ask with.
            TapError: Only another address.
        """
        company = self._company
        try:
            response = company.session.get(
                f"{company.api_url}{path}",
                params=params,
                headers={**company.headers, **headers},
                auth=company.auth,
                timeout=company.timeout_seconds,
                stream=True,
            )
        except requests.TooManyRedirects as error:
            where = error.response.headers.get("Location") if error.response is not None else ""
            raise TapError(
                f"{company.api_url} sends from one address to the next, at last to {where!r}: "
                "check api_url",
            ) from None
        except (requests.RequestException, HTTPError) as error:
            is_silent = isinstance(error, requests.ConnectionError)
            raise (UnreachableError if is_silent else TransientError)(
                f"{company.api_url} did not answer ({type(error).__name__}): check api_url and the "
                "network",
            ) from None
        content, broken = b"", ""
        with response:
            try:
                content = response.content
            except (requests.RequestException, HTTPError) as error:
                broken = (
                    f"Visma.net answered {response.status_code}, but the answer broke off or "
                    f"cannot be unpacked ({type(error).__name__})"
                    f"{answers.named(response.headers)}"
                )
        signed = response.request.headers.get("Authorization", "")
        return Answer(response.status_code, response.headers, content), signed, broken


def pause_before(attempt: int) -> float:
    """Seconds to wait before another try, by how many have failed: with full jitter."""
    return random.uniform(0, min(2.0 ** (attempt - 1), _LONGEST_PAUSE_SECONDS))  # noqa: S311
