"""The command `visma-twilio-sandbox`: runs a sandbox until it is told to stop."""

from __future__ import annotations

import shlex
import signal
import threading

import click

from visma_twilio_sandbox import Sandbox, business


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
        for name, value in sandbox.settings().items():
            click.echo(f"export {name}={shlex.quote(value)}")
        click.echo("# Ctrl-C ends it.")
        stop.wait()
