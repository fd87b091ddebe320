"""Whether the server can do its work: the ledger answers, and what comes is written."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from target_twilio_alerts.ledger import LedgerError, events

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.server.inbox import Inbox


class Health:
    """Tells whether all is well.

    Args:
        ledger: Is asked for its last event.
        inbox: Must be at work.
    """

    def __init__(self, ledger: Ledger, inbox: Inbox) -> None:
        self._ledger = ledger
        self._inbox = inbox

    async def __call__(self, _request: Request) -> Response:
        """Answer 200 if it is, and 503 if it is not."""
        try:
            seq = await run_in_threadpool(self._last_event)
        except LedgerError:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, status="the ledger does not answer")
        if not self._inbox.is_at_work:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, status="nothing is written any more")
        return _answer(HTTPStatus.OK, status="ok", last_event=seq)

    def _last_event(self) -> int:
        with self._ledger.read() as connection:
            return events.head(connection)[0]


def _answer(code: HTTPStatus, **body: object) -> Response:
    return JSONResponse(body, status_code=code, headers={"Cache-Control": "no-store"})
