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
from tap_visma.errors import AccessError, LimitReachedError, TapError, TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    ) -> requests.Response:
        """The answer to one GET, with status 200.

        Refusals by a limit and by an old token are dealt with here. What may pass is for the caller
        to ask again, for it may want to ask for less.

        Args:
            path: From the API's root.
            params: The query.
            pause: Seconds to wait before.
            is_backfill: Whether nobody waits for it, so that it may only use a part of the limit.

        Raises:
            TransientError: No answer, one that broke off, or a 5xx.
            AccessError: The company cannot be read.
            LimitReachedError: A limit lasts longer than we may wait.
            TapError: Any other refusal.
        """
        if pause:
            self._stopping.wait(pause)
        for attempt in itertools.count(1):
            self._company.limits.before_request(backfill=is_backfill)
            response = self._send(path, params)
            if response.status_code == answers.UNAUTHORIZED:
                if attempt == TRIES or not self._company.auth.refused(response.request):
                    raise AccessError(_REFUSED)
            elif response.status_code == answers.TOO_MANY:
                seconds = self._company.limits.wait_after_refusal(response.headers)
                if attempt == TRIES:
                    raise LimitReachedError(
                        "Visma.net goes on refusing with 429: the next run goes on",
                    )
                logger.info("%s: waiting %.1f s: %s", path, seconds, answers.told(response))
                self._stopping.wait(seconds)
            else:
                break
        self._company.auth.accepted()
        self._company.limits.after_answer(response.headers)
        if response.status_code >= answers.SERVER_ERROR:
            raise TransientError(answers.told(response))
        if response.status_code != requests.codes.ok:
            raise TapError(f"{answers.told(response)}: {answers.mend(response.status_code)}")
        return response

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._stopping.set()

    def _send(self, path: str, params: Mapping[str, str | int]) -> requests.Response:
        company = self._company
        try:
            return company.session.get(
                f"{company.api_url}{path}",
                params=params,
                headers=company.headers,
                auth=company.auth,
                timeout=company.timeout_seconds,
            )
        except (requests.RequestException, HTTPError) as error:
            raise TransientError(
                f"{company.api_url} did not answer ({type(error).__name__}): check api_url and the "
                "network",
            ) from None


def pause_before(attempt: int) -> float:
    """Seconds to wait before another try, by how many have failed: with full jitter."""
    return random.uniform(0, min(2.0 ** (attempt - 1), _LONGEST_PAUSE_SECONDS))  # noqa: S311
