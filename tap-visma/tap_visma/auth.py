"""Visma Connect client credentials: one token for one company, renewed before it ends.

Source: contracts/visma-erp.openapi.json (security schemes); reference: visma-api, section 1.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import requests
from urllib3.exceptions import HTTPError

from tap_visma import answers
from tap_visma.client import pause_before
from tap_visma.deadlines import DeadlineAdapter
from tap_visma.errors import AccessError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

RENEW_EARLY_SECONDS = 60
_TRIES = 4
_TIMEOUT_SECONDS = 30
_DEFAULT_LIFETIME = 300

_CHECK = {
    "invalid_client": "check client_id and client_secret, and that the application is a service "
    "application in the Visma Developer Portal",
    "invalid_tenant": "check that tenant_id is the company's tenant id (not the customer's), that "
    "the company's integration administrator has approved the application, and that the API role "
    "and the licence are in place",
    "invalid_scope": "check scope, and that the application has it in the Visma Developer Portal",
    "unauthorized_client": "check that the application may use client credentials, and that the "
    "company's integration administrator has approved it",
}

_ELSEWHERE = (301, 302, 303, 307, 308, 404, 405)
"""Statuses of an address that gives no tokens to anybody."""


class VismaConnect(requests.auth.AuthBase):
    """Signs requests with a token of one company; for several threads at once.

    Args:
        url: The token endpoint.
        client_id: Of the application, `isv_...`.
        client_secret: Its secret.
        tenant_id: The company's tenant id.
        scope: Scopes, separated by spaces.
        user_agent: How the tap names itself.
        clock: A monotonic clock in seconds.

    Attributes:
        scopes: What the last token is for, as far as Visma Connect told.
    """

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        tenant_id: str,
        scope: str,
        user_agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "tenant_id": tenant_id,
            "scope": scope,
        }
        self._user_agent = user_agent
        self._clock = clock
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._token: str | None = None
        self._ends_at = 0.0
        self._refused = False
        self._failure: AccessError | None = None
        self.scopes: tuple[str, ...] = ()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request, with a new token if the old one is about to end.

        Raises:
            AccessError: Visma Connect gives no token.
        """
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request

    def token(self) -> str:
        """A token, new if there is none or the old one is about to end.

        Raises:
            AccessError: Visma Connect gives none.
        """
        before = self._failure
        with self._lock:
            if self._token is not None and self._clock() < self._ends_at:
                return self._token
            if self._failure is not None and self._failure is not before:
                raise AccessError(str(self._failure))  # told while this thread waited
            try:
                self._token, lifetime = self._ask()
            except AccessError as error:
                self._token, self._failure = None, error
                raise
            self._ends_at = self._clock() + lifetime - min(RENEW_EARLY_SECONDS, lifetime / 2)
            return self._token

    def accepted(self) -> None:
        """Note that the API took the token."""
        self._refused = False

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._stopping.set()

    def refused(self, signed: str) -> bool:
        """Note a 401 and drop the token it was for; whether one more try is worth it.

        Args:
            signed: The `Authorization` that was refused.
        """
        with self._lock:
            if signed != f"Bearer {self._token}":
                return True  # another thread was refused before, and there is a newer token
            first = not self._refused
            self._refused = True
            self._token = None
            return first

    def _ask(self) -> tuple[str, float]:
        for attempt in range(1, _TRIES + 1):
            try:
                return self._read(self._send())
            except TransientError as error:
                pause = pause_before(attempt)
                if attempt == _TRIES or self._stopping.wait(pause):
                    raise AccessError(f"{error}; tried {attempt} times") from None
                logger.info("Trying again in %.1f s: %s", pause, error)
        raise AssertionError  # for the type checker: the last round returns or raises

    def _send(self) -> requests.Response:
        try:
            with requests.Session() as session:
                session.mount(self._url, DeadlineAdapter())
                return session.post(
                    self._url,
                    data=self._form,
                    headers={"User-Agent": self._user_agent, "Accept": "application/json"},
                    timeout=_TIMEOUT_SECONDS,
                    allow_redirects=False,  # the secret is for this address only
                )
        except (requests.RequestException, HTTPError) as error:
            raise TransientError(
                f"auth_url {self._url} cannot be reached ({type(error).__name__}): check the "
                "address and the network",
            ) from None

    def _read(self, response: requests.Response) -> tuple[str, float]:
        status, named = response.status_code, answers.named(response.headers)
        if answers.may_pass(status) or status == answers.TOO_MANY:
            raise TransientError(
                f"Visma Connect answers {status}{named}: try again later; the next run does",
            )
        answer = _json_object(response.content)
        if status != requests.codes.ok:
            code = answer.get("error")
            code = code if isinstance(code, str) and code.isidentifier() else "no reason given"
            mend = "check client_id, client_secret, tenant_id and scope"
            if status in _ELSEWHERE:
                mend = f"check that auth_url is the token endpoint ({self._url})"
            raise AccessError(
                f"Visma Connect gives no token (HTTP {status}, {code}{named}): "
                f"{_CHECK.get(code, mend)}",
            )
        token = answer.get("access_token")
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
            raise TransientError(
                f"Visma Connect answered without an access token{named}: check that auth_url is "
                f"the token endpoint ({self._url})",
            )
        lifetime = answer.get("expires_in")
        if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float)) or lifetime <= 0:
            lifetime = _DEFAULT_LIFETIME
        scope = answer.get("scope")
        self.scopes = tuple(answers.plain(scope).split()) if isinstance(scope, str) else ()
        logger.info("Visma Connect gave a token for %.0f s", lifetime)
        return token, float(lifetime)


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
