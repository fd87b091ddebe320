"""The application: which path is for whom, and what is counted of it."""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount, Route

from target_twilio_alerts.ledger import LedgerError
from target_twilio_alerts.server.acknowledge import AcknowledgePage
from target_twilio_alerts.server.health import Health
from target_twilio_alerts.server.inbox import Inbox
from target_twilio_alerts.server.keypress import Keypresses
from target_twilio_alerts.server.metrics import Metrics
from target_twilio_alerts.server.polling import EarlyPolls
from target_twilio_alerts.server.replies import Replies
from target_twilio_alerts.server.sendgrid import SendGridEvents, load_key
from target_twilio_alerts.server.signature import TwilioSignature
from target_twilio_alerts.server.status import StatusCallbacks
from target_twilio_alerts.server.visma import VismaWebhooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.requests import Request

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.settings import Settings

    Endpoint = Callable[[Request], Awaitable[Response]]

logger = logging.getLogger(__name__)

_RESULTS = {
    HTTPStatus.FORBIDDEN: "forged",
    HTTPStatus.NOT_FOUND: "unknown",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too large",
    HTTPStatus.SERVICE_UNAVAILABLE: "not written",
}


class _Place(NamedTuple):
    path: str
    about: str
    endpoint: Endpoint
    methods: tuple[str, ...] = ("POST",)


def build(settings: Settings, ledger: Ledger, run: Run) -> Starlette:
    """The application of these settings, over an open ledger."""
    metrics, inbox = Metrics(ledger), Inbox(ledger, run)
    polls = EarlyPolls(
        settings.poll_command, on_end=lambda result: metrics.polls.labels(result).inc()
    )
    places = [
        *_twilio(settings, inbox, ledger, run),
        *_sendgrid(settings, inbox),
        _Place("/ack/{token}", "link", AcknowledgePage(ledger, run), ("GET", "POST")),
        *_visma(settings, polls),
    ]
    routes = [Route(one.path, _counted(metrics, one), methods=list(one.methods)) for one in places]
    prefix = urlsplit(settings.public_url or "").path
    return Starlette(
        routes=[
            Route("/healthz", Health(ledger, inbox).__call__),
            Route("/metrics", metrics.__call__),
            *routes,
            # A proxy may take the path of the public URL away, or not.
            *([Mount(prefix, routes=routes)] if prefix else []),
        ],
        lifespan=_at_work(inbox, polls),
        exception_handlers={HTTPException: _refuse},
    )


def _twilio(settings: Settings, inbox: Inbox, ledger: Ledger, run: Run) -> list[_Place]:
    if not settings.public_url:
        return []
    if not settings.account_sid or not settings.auth_token:
        logger.warning(
            "account_sid is not set: statuses, pressed keys and answers that Twilio tells are not "
            "heard; set it with auth_token, unless there are only emails by SendGrid"
        )
        return []
    signature = TwilioSignature(
        public_url=settings.public_url,
        account_sid=settings.account_sid,
        auth_token=settings.auth_token,
    )
    return [
        _Place("/twilio/status", "status", StatusCallbacks(signature, inbox)),
        _Place("/twilio/keypress", "keypress", Keypresses(signature, inbox, ledger, run)),
        _Place("/twilio/reply", "reply", Replies(signature, ledger, run)),
    ]


def _sendgrid(settings: Settings, inbox: Inbox) -> list[_Place]:
    if not settings.sendgrid_webhook_key:
        return []
    events = SendGridEvents(load_key(settings.sendgrid_webhook_key), inbox)
    return [_Place("/sendgrid/events", "sendgrid", events)]


def _visma(settings: Settings, polls: EarlyPolls) -> list[_Place]:
    if not settings.visma_webhook_secret or not settings.visma_webhook_header:
        return []
    webhooks = VismaWebhooks(
        secret=settings.visma_webhook_secret,
        header=settings.visma_webhook_header,
        on_change=polls.request,
    )
    return [_Place("/visma/webhook", "visma", webhooks)]


def _at_work(
    inbox: Inbox, polls: EarlyPolls
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        inbox.start()
        polls.start()
        try:
            yield
        finally:
            await polls.stop()
            await run_in_threadpool(inbox.stop)

    return lifespan


def _counted(metrics: Metrics, place: _Place) -> Endpoint:
    """An endpoint whose requests are counted, and told to come again if they were not written."""

    async def endpoint(request: Request) -> Response:
        began, result = time.perf_counter(), "not written"
        try:
            response = await place.endpoint(request)
            result = getattr(request.state, "result", "taken")
        except HTTPException as refusal:
            result = _RESULTS.get(HTTPStatus(refusal.status_code), "malformed")
            raise
        except LedgerError:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE) from None
        finally:
            metrics.requests.labels(place.about, result).inc()
            metrics.seconds.labels(place.about).observe(time.perf_counter() - began)
        return response

    return endpoint


async def _refuse(_request: Request, refusal: Exception) -> Response:
    """Say no without a word about why."""
    code = refusal.status_code if isinstance(refusal, HTTPException) else 500
    return Response(status_code=code)
