"""SendGrid: Mail Send, and what tells whether an API key may send."""

from __future__ import annotations

import gzip
import hmac
import json
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.mail_send import Email, MailError, emails_of, read_mail

if TYPE_CHECKING:
    from starlette.requests import Request

    from visma_twilio_sandbox.faults import Fault
    from visma_twilio_sandbox.recording import App

__all__ = ["Email", "SendGrid", "error_body"]

MAX_MAIL = 30 * 1024 * 1024
_JSON = "application/json"
_REFUSED = "The provided authorization grant is invalid, expired, or revoked"
_NOT_VERIFIED = (
    "The from address does not match a verified Sender Identity. Mail cannot be sent until this "
    "error is resolved."
)


class SendGrid:
    """One SendGrid account with one API key.

    Attributes:
        app: ASGI application of api.sendgrid.com.
        verified_domains: Domains it may send from; may be changed.
    """

    def __init__(self) -> None:
        self.verified_domains = {"example.com", "example.net", "example.org"}
        self._lock = threading.Lock()
        self._emails: list[Email] = []
        self._number = 0
        self.app: App = Starlette(
            routes=[
                Route("/v3/mail/send", self._send, methods=["POST"]),
                Route("/v3/scopes", self._scopes, methods=["GET"]),
                Route("/v3/verified_senders", self._senders, methods=["GET"]),
            ],
            exception_handlers={HTTPException: _refuse, MailError: _invalid},
        )

    @property
    def emails(self) -> list[Email]:
        """The emails it has sent, oldest first, one for each recipient."""
        with self._lock:
            return list(self._emails)

    async def _send(self, request: Request) -> Response:
        """POST /v3/mail/send: 202, or 200 in sandbox mode, which sends nothing."""
        _authenticate(request)
        if request.headers.get("content-type", "").partition(";")[0].strip() != _JSON:
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type should be JSON")
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = _unzip(body)
        if len(body) > MAX_MAIL:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "content too large")
        mail = read_mail(body)
        for sender in (mail.from_, *(one.from_ for one in mail.personalizations)):
            if sender and sender.email.rpartition("@")[2].lower() not in self.verified_domains:
                return _errors(HTTPStatus.FORBIDDEN, _NOT_VERIFIED, "from")
        if mail.mail_settings.sandbox_mode.enable:
            return Response(status_code=HTTPStatus.OK)
        with self._lock:
            self._number += 1
            message_id = f"sandbox{self._number:015d}"
            self._emails += emails_of(mail, message_id)
        return Response(status_code=HTTPStatus.ACCEPTED, headers={"X-Message-Id": message_id})

    async def _scopes(self, request: Request) -> Response:
        """GET /v3/scopes: what the API key may do."""
        _authenticate(request)
        return _json(HTTPStatus.OK, {"scopes": ["mail.send", "verified_senders.read"]})

    async def _senders(self, request: Request) -> Response:
        """GET /v3/verified_senders: none by itself, for whole domains are verified."""
        _authenticate(request)
        return _json(HTTPStatus.OK, {"results": []})


def error_body(fault: Fault) -> tuple[bytes, str]:
    """Body and content type for a fault."""
    phrase = HTTPStatus(fault.status or 500).phrase.lower()
    return json.dumps({"errors": [{"message": phrase, "field": None}]}).encode(), _JSON


def _authenticate(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    expected = credentials.SENDGRID_API_KEY.encode()
    if scheme != "Bearer" or not hmac.compare_digest(expected, key.encode()):
        raise HTTPException(HTTPStatus.UNAUTHORIZED, _REFUSED)


def _unzip(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError):
        raise MailError("Bad Request") from None


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _errors(HTTPStatus(error.status_code), error.detail, None)


async def _invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, MailError):
        raise error
    return _errors(HTTPStatus.BAD_REQUEST, error.message, error.field)


def _errors(status: HTTPStatus, message: str, field: str | None) -> Response:
    """Write ErrorResponse; SendGrid's `help` is null, though its contract wants an object."""
    return _json(status, {"errors": [{"message": message, "field": field, "help": None}]})


def _json(status: HTTPStatus, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, media_type=_JSON)
