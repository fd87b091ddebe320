"""The command `visma-twilio-sandbox`: runs a sandbox until it is told to stop."""

from __future__ import annotations

import shlex
import signal
import threading
from typing import TYPE_CHECKING

import click

from visma_twilio_sandbox import Sandbox, business, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command()
@click.option("--seed", default=0, show_default=True, help="Decides what the real APIs leave open.")
@click.option(
    "--history",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many documents of the past two years to start with.",
)
@click.version_option(package_name="visma-twilio-sandbox")
def main(seed: int, history: int) -> None:
    """Run Visma.net ERP, Twilio and SendGrid on this machine, all made up.

    Prints the settings of tap-visma and target-twilio-alerts as shell commands, then runs until
    Ctrl-C or SIGTERM.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(seed=seed) as sandbox:
        if history:
            business.history(sandbox.visma, documents=history, seed=seed)
        click.echo(f"# Telephones, inboxes and the control API: {sandbox.control_url}")
        for name, value in settings(sandbox):
            click.echo(f"export {name}={shlex.quote(value)}")
        click.echo("# Ctrl-C ends it.")
        stop.wait()


def settings(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """Give the environment variables that point the tap and the target to a sandbox."""
    tap, target = "TAP_VISMA", "TARGET_TWILIO_ALERTS"
    yield f"{tap}_CLIENT_ID", credentials.CLIENT_ID
    yield f"{tap}_CLIENT_SECRET", credentials.CLIENT_SECRET
    yield f"{tap}_TENANT_ID", credentials.TENANT_ID
    yield f"{tap}_COMPANY", "Nordisk Demo AB"
    yield f"{tap}_API_URL", sandbox.visma_url
    yield f"{tap}_AUTH_URL", sandbox.connect_url
    yield f"{target}_ACCOUNT_SID", credentials.ACCOUNT_SID
    yield f"{target}_AUTH_TOKEN", credentials.AUTH_TOKEN
    yield f"{target}_FROM_NUMBER", credentials.FROM_NUMBER
    yield f"{target}_SENDGRID_API_KEY", credentials.SENDGRID_API_KEY
    yield f"{target}_EMAIL_FROM", "alerts@example.com"
    yield f"{target}_TWILIO_API_URL", sandbox.twilio_url
    yield f"{target}_TWILIO_MESSAGING_URL", sandbox.messaging_url
    yield f"{target}_SENDGRID_API_URL", sandbox.sendgrid_url
