"""Visma's webhooks: signed, of any form, and taken for nothing but that something has changed.

Source: https://docs.finance.visma.net, webhooks: base64 of HMAC-SHA256 over the body. What it says
is not read: the poll that follows asks Visma itself, so that a webhook that was lost, doubled or
made up changes nothing that polling would not find.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from target_twilio_alerts.server import bodies

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_MOST = 1024 * 1024


class VismaWebhooks:
    """Hears that something has changed.

    Args:
        secret: What Visma signs with.
        header: Which header has the signature.
        on_change: Called for each webhook.
    """

    def __init__(self, *, secret: str, header: str, on_change: Callable[[], None]) -> None:
        self._secret = secret.encode()
        self._header = header
        self._on_change = on_change

    async def __call__(self, request: Request) -> Response:
        """Take one webhook."""
        body = await bodies.read(request, most=_MOST)
        signed = base64.b64encode(hmac.digest(self._secret, body, hashlib.sha256))
        given = request.headers.get(self._header, "").encode("latin-1")
        if not hmac.compare_digest(signed, given):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        self._on_change()
        return Response(status_code=HTTPStatus.NO_CONTENT)
