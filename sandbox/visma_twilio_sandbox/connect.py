"""Visma Connect: hands out bearer tokens, each for one company, and knows which are good."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from visma_twilio_sandbox import credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from visma_twilio_sandbox.faults import Fault
    from visma_twilio_sandbox.recording import RecordedRequest

TOKEN_PATH = "/connect/token"  # noqa: S105
READ_SCOPE = "vismanet_erp_service_api:read"
SCOPES = frozenset(
    f"vismanet_erp_service_api:{verb}" for verb in ("read", "create", "update", "delete")
)
_COMPANIES = (credentials.TENANT_ID, credentials.SECOND_TENANT_ID)
_FIELDS = {"grant_type", "client_id", "client_secret", "scope", "tenant_id"}


class TokenError(Exception):
    """A token request is refused; the text is the OAuth error code."""


@dataclass(frozen=True)
class Grant:
    """What a token allows: one tenant, some scopes, until a moment of the monotonic clock."""

    tenant_id: str
    scopes: frozenset[str]
    ends: float


class Connect:
    """The token endpoint and the tokens it gave out. Thread-safe.

    Args:
        tenants: Tenant ids of the companies, if not the two of `credentials`.

    Attributes:
        tenants: Tenant ids that a token can be had for: the companies and their customer.
        clients: Client id to secret.
        lifetime_seconds: ``expires_in`` of the next tokens. 3600 is what integrators see.
        tokens_issued: How many tokens were given out.
    """

    def __init__(self, tenants: Iterable[str] = _COMPANIES) -> None:
        self.tenants = {*tenants, credentials.CUSTOMER_TENANT_ID}
        self.clients = {credentials.CLIENT_ID: credentials.CLIENT_SECRET}
        self.lifetime_seconds = 3600
        self.tokens_issued = 0
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}
        self.app = Starlette(routes=[Route(TOKEN_PATH, self._token, methods=["POST"])])

    def expire_all(self) -> None:
        """Make every token given out so far worthless."""
        with self._lock:
            self._grants.clear()

    def grant(self, authorization: str) -> Grant | None:
        """What the value of an ``Authorization`` header allows; None if it is no good token."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            return None
        with self._lock:
            grant = self._grants.get(token)
        return grant if grant is not None and time.monotonic() < grant.ends else None

    def tenant_of(self, request: RecordedRequest) -> str | None:
        """Whose a request is, by its form or its token; an expired token still tells."""
        if request.path == TOKEN_PATH:
            form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
            return form.get("tenant_id")
        token = request.headers.get("authorization", "").partition(" ")[2]
        with self._lock:
            grant = self._grants.get(token)
        return None if grant is None else grant.tenant_id

    async def _token(self, request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        try:
            fields = _form(request.headers.get("content-type", ""), body)
            self._check_client(fields, request.headers.get("authorization"))
            scopes = _scopes(fields)
            tenant_id = self._tenant(fields)
        except TokenError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        token = secrets.token_urlsafe(32)
        lifetime = self.lifetime_seconds
        with self._lock:
            self._grants[token] = Grant(tenant_id, scopes, time.monotonic() + lifetime)
            self.tokens_issued += 1
        return JSONResponse(
            {
                "access_token": token,
                "expires_in": lifetime,
                "token_type": "Bearer",
                "scope": " ".join(sorted(scopes)),
            },
            headers={"Cache-Control": "no-store"},
        )

    def _check_client(self, fields: Mapping[str, str], authorization: str | None) -> None:
        """Refuse unknown clients; by form fields or by HTTP Basic, not by both (RFC 6749)."""
        if authorization is None:
            client, secret = fields.get("client_id", ""), fields.get("client_secret", "")
        elif "client_secret" in fields:
            raise TokenError("invalid_request")
        else:
            client, secret = _basic(authorization)
        if self.clients.get(client) != secret:
            raise TokenError("invalid_client")

    def _tenant(self, fields: Mapping[str, str]) -> str:
        try:
            tenant_id = str(uuid.UUID(fields.get("tenant_id", "")))
        except ValueError:
            raise TokenError("invalid_tenant") from None
        if tenant_id not in self.tenants:
            raise TokenError("invalid_tenant")
        return tenant_id


def error_body(fault: Fault) -> tuple[bytes, str]:
    """The body of an injected fault, as OAuth errors look."""
    known = {400: "invalid_request", 401: "invalid_client", 503: "temporarily_unavailable"}
    error = known.get(fault.status or 0, "server_error")
    return json.dumps({"error": error}).encode(), "application/json"


def _form(content_type: str, body: str) -> Mapping[str, str]:
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise TokenError("invalid_request")
    pairs = parse_qsl(body, keep_blank_values=True)
    repeated = any(number > 1 for number in Counter(name for name, _ in pairs).values())
    if repeated or any(name not in _FIELDS for name, _ in pairs):
        raise TokenError("invalid_request")
    fields = dict(pairs)
    if "grant_type" not in fields:
        raise TokenError("invalid_request")
    if fields["grant_type"] != "client_credentials":
        raise TokenError("unsupported_grant_type")
    return fields


def _basic(authorization: str) -> tuple[str, str]:
    kind, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError("invalid_client") from None
    if kind.lower() != "basic":
        raise TokenError("invalid_client")
    client_id, _, secret = decoded.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _scopes(fields: Mapping[str, str]) -> frozenset[str]:
    scopes = frozenset(fields.get("scope", "").split())
    if not scopes or not scopes <= SCOPES:
        raise TokenError("invalid_scope")
    return scopes
