"""Serves the application until somebody says that it is enough."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from target_twilio_alerts import wiring
from target_twilio_alerts.audit.closing import COMPLETED, end_run
from target_twilio_alerts.ledger import runs
from target_twilio_alerts.server.app import build
from target_twilio_alerts.server.sendgrid import load_key
from target_twilio_alerts.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.settings import Settings

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 15
_MOST_CONNECTIONS = 500


def serve(settings: Settings, ledger: Ledger, *, host: str, port: int, operator: str) -> None:
    """Serve, as a run of the ledger, until SIGTERM or SIGINT.

    Raises:
        SettingsError: There is nothing to serve, a setting is missing, or the port is taken.
        LedgerError: The ledger cannot be written to.
    """
    check(settings)
    listener = _listen(host, port)
    run = runs.start(ledger, command="serve", version=wiring.version(), body={"operator": operator})
    outcome = "failed"
    try:
        server = _Server(_config(settings, ledger, run))
        asyncio.run(server.serve(sockets=[listener]))
        outcome = COMPLETED
    finally:
        listener.close()
        logger.info("%s", end_run(ledger, settings, run, outcome=outcome, summary={}))


def check(settings: Settings) -> None:
    """Say what the settings lack.

    Raises:
        SettingsError: In a line each.
    """
    wrong = []
    if settings.public_url and settings.account_sid and not settings.auth_token:
        wrong.append(
            "auth_token: not set, but Twilio signs its callbacks with it, also where an API key "
            "sends; set it beside api_key_sid"
        )
    if settings.visma_webhook_secret:
        wrong += [
            f"{name}: not set, but visma_webhook_secret is; set it"
            for name in ("visma_webhook_header", "poll_command")
            if not getattr(settings, name)
        ]
    if settings.poll_command and shutil.which(settings.poll_command[0]) is None:
        wrong.append(
            f"poll_command: there is no program {settings.poll_command[0]}; write its full path"
        )
    if settings.sendgrid_webhook_key:
        try:
            load_key(settings.sendgrid_webhook_key)
        except ValueError as error:
            wrong.append(str(error))
    if not (settings.public_url or settings.sendgrid_webhook_key or settings.visma_webhook_secret):
        wrong.append(
            "nothing to serve: set public_url for Twilio's callbacks and links in emails, "
            "sendgrid_webhook_key for SendGrid's events, or visma_webhook_secret for Visma's "
            "webhooks"
        )
    if wrong:
        raise SettingsError("\n".join(wrong))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: asyncio then sends answers without delay.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_MOST_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}; give another --host or --port"
        ) from None
    return listener


def _config(settings: Settings, ledger: Ledger, run: runs.Run) -> uvicorn.Config:
    return uvicorn.Config(
        build(settings, ledger, run),
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        # Who asked is not asked of the request: signatures tell.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


class _Server(uvicorn.Server):
    """Ends when it is told to, so that what follows can be done."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it listens, once it does."""
        await super().startup(sockets)
        for listener in sockets or [] if self.started else []:
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            logger.info("Serving on http://%s:%d", shown, port)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear signals meanwhile, and do not raise them again afterwards."""
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
