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
from urllib3.util import Retry

from tap_visma.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

RENEW_EARLY_SECONDS = 60
_TIMEOUT_SECONDS = 30
_DEFAULT_LIFETIME = 300

_BUSY = (429, 500, 502, 503, 504)

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
        self._token: str | None = None
        self._ends_at = 0.0
        self._refused = False

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request, with a new token if the old one is about to end.

        Raises:
            AccessError: Visma Connect gives no token.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._ends_at:
                self._token, lifetime = self._ask()
                self._ends_at = self._clock() + lifetime - min(RENEW_EARLY_SECONDS, lifetime / 2)
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def accepted(self) -> None:
        """Note that the API took the token."""
        self._refused = False

    def refused(self, request: requests.PreparedRequest) -> bool:
        """Note a 401 and drop the token it was for; whether one more try is worth it."""
        with self._lock:
            if request.headers.get("Authorization") != f"Bearer {self._token}":
                return True  # another thread was refused before, and there is a newer token
            first = not self._refused
            self._refused = True
            self._token = None
            return first

    def _ask(self) -> tuple[str, float]:
        try:
            with requests.Session() as session:
                retry = Retry(
                    total=3,
                    backoff_factor=0.5,
                    status_forcelist=_BUSY,
                    allowed_methods=("POST",),
                    raise_on_status=False,
                    respect_retry_after_header=False,
                )
                session.mount(self._url, requests.adapters.HTTPAdapter(max_retries=retry))
                response = session.post(
                    self._url,
                    data=self._form,
                    headers={"User-Agent": self._user_agent, "Accept": "application/json"},
                    timeout=_TIMEOUT_SECONDS,
                )
        except (requests.RequestException, HTTPError) as error:
            raise AccessError(
                f"auth_url {self._url} cannot be reached ({type(error).__name__}): check the "
                "address and the network",
            ) from None
        return self._read(response)

    def _read(self, response: requests.Response) -> tuple[str, float]:
        answer = _json_object(response.content)
        if response.status_code in _BUSY:
            raise AccessError(
                f"Visma Connect answers {response.status_code}: try again later; the next run does",
            )
        if response.status_code != requests.codes.ok:
            code = answer.get("error")
            code = code if isinstance(code, str) and code.isidentifier() else "no reason given"
            mend = _CHECK.get(code, "check client_id, client_secret, tenant_id and scope")
            raise AccessError(
                f"Visma Connect gives no token (HTTP {response.status_code}, {code}): {mend}",
            )
        token = answer.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii():
            raise AccessError(
                "Visma Connect answered without an access token: check that auth_url is the token "
                f"endpoint ({self._url})",
            )
        lifetime = answer.get("expires_in")
        if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float)) or lifetime <= 0:
            lifetime = _DEFAULT_LIFETIME
        logger.info("Visma Connect gave a token for %.0f s", lifetime)
        return token, float(lifetime)


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
