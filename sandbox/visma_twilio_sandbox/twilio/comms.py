"""comms.twilio.com: Twilio Email.

Its description is not among Twilio's OpenAPI documents; source: https://www.twilio.com/docs/email.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated

import msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.mail_send import Email
from visma_twilio_sandbox.twilio.auth import authenticate
from visma_twilio_sandbox.twilio.errors import JSON, TwilioError

if TYPE_CHECKING:
    from starlette.requests import Request

    from visma_twilio_sandbox.recording import App

_DOMAINS = frozenset({"example.com", "example.net", "example.org"})
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+")
_MAX_BODY = 5_000_000
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A JSON object that has these fields and no others."""


class Party(_Strict, frozen=True):
    """A sender or a recipient."""

    address: str
    name: str = ""


class Content(_Strict, frozen=True):
    """What it says."""

    subject: _Text
    html: _Text
    text: str = ""


class Mail(_Strict, frozen=True):
    """The whole request."""

    from_: Party = msgspec.field(name="from")
    to: Annotated[list[Party], msgspec.Meta(min_length=1, max_length=10_000)]
    content: Content
    tags: Annotated[
        dict[
            Annotated[str, msgspec.Meta(max_length=128)],
            Annotated[str, msgspec.Meta(max_length=256)],
        ],
        msgspec.Meta(max_length=10),
    ] = {}


class Comms:
    """The emails of one account.

    Attributes:
        app: ASGI application of comms.twilio.com.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._emails: list[Email] = []
        self._number = 0
        self.app: App = Starlette(
            routes=[Route("/v1/Emails", self._send, methods=["POST"])],
            exception_handlers={TwilioError: _refuse, 404: _not_found, 405: _not_found},
        )

    @property
    def emails(self) -> list[Email]:
        """The emails it has taken, oldest first, one for each recipient."""
        with self._lock:
            return list(self._emails)

    async def _send(self, request: Request) -> Response:
        """POST /v1/Emails: 202 and the operation that sends."""
        if authenticate(request) == credentials.TEST_ACCOUNT_SID:
            raise TwilioError(20008)
        mail = _read(await request.body())
        with self._lock:
            self._number += 1
            operation = f"comms_operation_01h9k{self._number:021d}"
            self._emails += [
                Email(
                    message_id=operation,
                    time=datetime.now(timezone.utc),
                    to=one.address,
                    from_=_shown(mail.from_),
                    subject=mail.content.subject,
                    text=mail.content.text,
                    html=mail.content.html,
                    custom_args=mail.tags,
                )
                for one in mail.to
            ]
        base = str(request.base_url).rstrip("/")
        answer = {
            "operationId": operation,
            "operationLocation": f"{base}/v1/Emails/Operations/{operation}",
        }
        return Response(json.dumps(answer), 202, media_type=JSON)


def _read(body: bytes) -> Mail:
    if len(body) > _MAX_BODY:
        raise TwilioError(20001, "The request is larger than 5 MB", 413)
    try:
        mail = msgspec.json.decode(body, type=Mail)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TwilioError(20001, str(error)) from None
    for one in (mail.from_, *mail.to):
        if not _ADDRESS.fullmatch(one.address):
            raise TwilioError(20001, f"{one.address} is no email address")
    if mail.from_.address.rpartition("@")[2].lower() not in _DOMAINS:
        raise TwilioError(20001, "The from address is of a domain that is not verified", 403)
    return mail


def _shown(party: Party) -> str:
    return f"{party.name} <{party.address}>" if party.name else party.address


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, TwilioError):
        raise error
    return error.response()


async def _not_found(request: Request, _: Exception) -> Response:
    message = f"The requested resource {request.url.path} was not found"
    return TwilioError(20404, message).response()
