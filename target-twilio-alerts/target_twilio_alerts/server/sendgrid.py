"""SendGrid's signed Event Webhook: what became of emails.

Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events: ECDSA with SHA-256 over
the timestamp and the body. SendGrid tries again for a day, and tells an event more than once.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from starlette.exceptions import HTTPException
from starlette.responses import Response

from target_twilio_alerts.delivery.callbacks import Callback
from target_twilio_alerts.delivery.channels import StatusReport
from target_twilio_alerts.server import bodies
from target_twilio_alerts.server.status import is_ours

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_twilio_alerts.server.inbox import Inbox

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"

_MOST = 4 * 1024 * 1024
_OLDEST, _NEWEST = 25 * 3600, 5 * 60
"""Seconds: an event is told again for a day, and clocks differ."""

_REMEMBERED = 10_000
_EMAIL = frozenset({"email"})
_STATUSES = frozenset({"processed", "deferred", "delivered", "bounce", "dropped"})
_LOST = frozenset({"bounce", "dropped"})
_SID = re.compile(r"(?!\.)[!-~]{1,255}")
_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class SendGridEvents:
    """Hears what became of emails.

    Args:
        key: The public key of the webhook.
        inbox: Writes them.
    """

    def __init__(self, key: ec.EllipticCurvePublicKey, inbox: Inbox) -> None:
        self._key = key
        self._inbox = inbox
        self._known: dict[str, None] = {}

    async def __call__(self, request: Request) -> Response:
        """Take some events."""
        body = await bodies.read(request, most=_MOST)
        self._verify(request, body)
        callbacks: list[Callback] = []
        names: dict[str, None] = {}
        for event in _events_of(body):
            told = callback_of(event)
            given = event.get("sg_event_id")
            name = given if isinstance(given, str) else ""
            if told is None or name in names or name in self._known:
                continue
            callbacks.append(told)
            # One without a name is taken each time that it comes: a second time changes nothing.
            if name:
                names[name] = None
        await asyncio.gather(*map(self._inbox.put, callbacks))
        self._known |= names
        for name in list(self._known)[:-_REMEMBERED]:
            del self._known[name]
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _verify(self, request: Request, body: bytes) -> None:
        stamp = request.headers.get(TIMESTAMP_HEADER, "")
        given = request.headers.get(SIGNATURE_HEADER, "")
        try:
            age = time.time() - int(stamp)
            signature = base64.b64decode(given, validate=True)
            self._key.verify(signature, stamp.encode() + body, ec.ECDSA(SHA256()))
        except (ValueError, binascii.Error, InvalidSignature):
            raise HTTPException(HTTPStatus.FORBIDDEN) from None
        if not -_NEWEST <= age <= _OLDEST:
            raise HTTPException(HTTPStatus.FORBIDDEN)


def load_key(text: str) -> ec.EllipticCurvePublicKey:
    """The key of a setting.

    Raises:
        ValueError: It is none that SendGrid signs with.
    """
    try:
        key = load_der_public_key(base64.b64decode(text))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key
    raise ValueError(
        "sendgrid_webhook_key: no public key that SendGrid signs with; copy the verification key "
        "of the Event Webhook once more"
    )


def _events_of(body: bytes) -> list[dict[str, Any]]:
    """The events of a body, whatever odd characters one of them has: the others must not suffer.

    Raises:
        HTTPException: It is no list of events.
    """
    try:
        found = json.loads(body.decode(errors="replace"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return found


def callback_of(event: dict[str, Any]) -> Callback | None:
    """What an event says of an email of ours; None if it says nothing, or of another's."""
    status, sid, message_id = (event.get(name) for name in ("event", "sg_message_id", "message_id"))
    if not isinstance(status, str) or status not in _STATUSES:
        return None
    if not isinstance(sid, str) or not _SID.fullmatch(sid) or not is_ours(message_id):
        return None
    code, reason = event.get("status"), event.get("reason")
    is_code = isinstance(code, str) and _CODE.fullmatch(code)
    report = StatusReport(
        status=status,
        error_code=(code if is_code else status) if status in _LOST else None,
        error_message=reason if isinstance(reason, str) else None,
    )
    # What follows the first point names the machine that it went through.
    return Callback(_EMAIL, sid.partition(".")[0], report, message_id)
