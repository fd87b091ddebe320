"""``twilio-alerts``: what a person does with the alerts: check, look, deliver, test, resend."""

from __future__ import annotations

import click

from target_twilio_alerts.cli.accept_restored import accept_restored
from target_twilio_alerts.cli.acknowledge import ack
from target_twilio_alerts.cli.audit import audit
from target_twilio_alerts.cli.audit_show import show, show_runs
from target_twilio_alerts.cli.backtest import backtest
from target_twilio_alerts.cli.cancel import cancel
from target_twilio_alerts.cli.check import check
from target_twilio_alerts.cli.erase import erase
from target_twilio_alerts.cli.explain import explain
from target_twilio_alerts.cli.operate import deliver, send_test
from target_twilio_alerts.cli.opt_outs import opt_outs_group
from target_twilio_alerts.cli.preview import preview
from target_twilio_alerts.cli.prove import prove
from target_twilio_alerts.cli.rehearse import rehearse
from target_twilio_alerts.cli.release import release
from target_twilio_alerts.cli.resend import resend
from target_twilio_alerts.cli.serve import serve
from target_twilio_alerts.cli.silence import silence
from target_twilio_alerts.cli.undecided import undecided
from target_twilio_alerts.cli.verify import verify
from target_twilio_alerts.cli.workplace import CONFIG_OPTION, Workplace
from target_twilio_alerts.wiring import version


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="twilio-alerts")
@CONFIG_OPTION
@click.pass_context
def main(context: click.Context, config: tuple[str, ...]) -> None:
    """Work with the alerts of target-twilio-alerts.

    Settings come from the environment (TARGET_TWILIO_ALERTS_...), as Meltano gives them, or from
    configuration files.
    """
    context.obj = Workplace(config)


audit.add_command(prove)
audit.add_command(show)
audit.add_command(show_runs)
audit.add_command(undecided)
audit.add_command(verify)
main.add_command(accept_restored)
main.add_command(ack)
main.add_command(audit)
main.add_command(backtest)
main.add_command(cancel)
main.add_command(check)
main.add_command(deliver)
main.add_command(erase)
main.add_command(explain)
main.add_command(opt_outs_group)
main.add_command(preview)
main.add_command(rehearse)
main.add_command(release)
main.add_command(resend)
main.add_command(send_test)
main.add_command(serve)
main.add_command(silence)

__all__ = ["main"]
