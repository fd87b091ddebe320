"""``twilio-alerts serve``: hears what providers tell by themselves."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.workplace import operator_name, told_in_one_line

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace

_OF_THE_EXTRA = {"cryptography", "prometheus_client", "starlette", "uvicorn"}


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 for any that is free.",
)
@click.pass_obj
@told_in_one_line
def serve(workplace: Workplace, *, host: str, port: int) -> None:
    """Hear callbacks of Twilio and webhooks of Visma, until SIGTERM or Ctrl+C.

    It needs the extra `server`, and a proxy before it that speaks https.
    """
    try:
        from target_twilio_alerts.server import serving  # noqa: PLC0415 - for those who have the extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_THE_EXTRA:
            raise
        raise click.ClickException(
            "serve needs the extra 'server': pip install 'target-twilio-alerts[server]'",
        ) from None
    settings = workplace.settings
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger(__package__.partition(".")[0]).setLevel(logging.INFO)
    with workplace.ledger() as ledger:
        serving.serve(settings, ledger, host=host, port=port, operator=operator_name())
