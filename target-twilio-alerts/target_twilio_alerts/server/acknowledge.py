"""The page behind the link of an email: with a button, since mail scanners follow links too."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from target_twilio_alerts.delivery.acknowledging import acknowledge
from target_twilio_alerts.ledger import escalations
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import message_contents, messages
from target_twilio_alerts.messages.links import has_link, reference_of
from target_twilio_alerts.messages.locales import builtin_formats

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run

_HOW = "link"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0; background: #f2f4f7; color: #1d2530; font: 17px/1.5 system-ui, sans-serif; }}
main {{ max-width: 32rem; margin: 3rem auto; padding: 1.5rem; background: #fff;
  border-radius: 8px; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.2rem; }}
button {{ font: inherit; font-weight: 600; padding: 0.6rem 1.4rem; border: 0; border-radius: 6px;
  background: #2563c9; color: #fff; cursor: pointer; }}
</style></head>
<body><main><h1>{title}</h1>{body}</main></body>
</html>
"""


class _Sent(NamedTuple):
    """The email that a link was sent in."""

    alert_id: str
    recipient: str
    locale: str
    subject: str
    is_acknowledged: bool


class AcknowledgePage:
    """Shows what a link is about, and acknowledges it when the button is pressed.

    Args:
        ledger: Where alerts are.
        run: The run at work.
    """

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self._ledger = ledger
        self._run = run

    async def __call__(self, request: Request) -> Response:
        """Show the page, or take the button."""
        token = request.path_params["token"]
        sent = await run_in_threadpool(self._look, token)
        if sent is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        request.state.result = "shown"
        if request.method == "POST":
            await run_in_threadpool(self._acknowledge, sent)
            sent = sent._replace(is_acknowledged=True)
            request.state.result = "acknowledged"
        return HTMLResponse(_page(sent), headers=_HEADERS)

    def _look(self, token: str) -> _Sent | None:
        """The email that this very link was sent in; None if there is none."""
        table, contents = messages.c, message_contents.c
        query = (
            sa.select(
                table.alert_id,
                table.recipient,
                table.locale,
                contents.subject,
                contents.text,
                contents.html,
            )
            .join(message_contents, contents.message_id == table.id)
            .where(table.id == reference_of(token), table.alert_id.is_not(None))
        )
        with self._ledger.read() as connection:
            row = connection.execute(query).first()
            if row is None or not has_link(f"{row.text}\n{row.html or ''}", token):
                return None
            known = escalations.acknowledgement(connection, row.alert_id)
        return _Sent(row.alert_id, row.recipient, row.locale, row.subject or "", known is not None)

    def _acknowledge(self, sent: _Sent) -> None:
        made = Acknowledgement(sent.alert_id, utc_now(), sent.recipient, _HOW, None)
        with self._ledger.write() as connection:
            acknowledge(connection, made, run_id=self._run.id)


def _page(sent: _Sent) -> str:
    words = builtin_formats(sent.locale)
    if sent.is_acknowledged:
        body = f"<p>{escape(words.phrase('acknowledged'))}</p>"
    else:
        button = f"<button>{escape(words.phrase('acknowledge'))}</button>"
        body = f'<form method="post">{button}</form>'
    language = words.locale.partition("_")[0]
    return _PAGE.format(language=language, title=escape(sent.subject), body=body)
