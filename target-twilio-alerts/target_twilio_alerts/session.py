"""One run of the target: opens the ledger, takes records in, delivers, and sums up."""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from target_twilio_alerts import wiring
from target_twilio_alerts.audit.closing import end_run
from target_twilio_alerts.audit.restored import ensure_current
from target_twilio_alerts.delivery.following import follow
from target_twilio_alerts.intake import Intake
from target_twilio_alerts.ledger import Ledger, LedgerError, outbox, runs
from target_twilio_alerts.ledger.ids import long_id
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import load_alerts
from target_twilio_alerts.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_twilio_alerts.settings import Settings

logger = logging.getLogger(__name__)


class CredentialsRefusedError(Exception):
    """A provider refused our credentials: nothing more was sent, everything is kept."""


class Session:
    """One run of the target.

    Args:
        settings: Checked settings.
        let_go: Called with each STATE that may leave.

    Raises:
        AlertsFileError: The alerts file has mistakes.
        SettingsError: A channel that the rules use lacks a setting.
        LedgerError: The ledger cannot be opened, or is behind its anchors.
    """

    def __init__(self, settings: Settings, let_go: Callable[[Mapping[str, Any]], None]) -> None:
        self._settings = settings
        self._closed = False
        self._alerts = load_alerts(settings.alerts_file)
        names = [] if settings.dry_run else wiring.used_channels(self._alerts, settings)
        channels = wiring.build_channels(settings, names)
        mistakes = [] if settings.dry_run else wiring.anchor_mistakes(settings, self._alerts)
        if mistakes:
            raise SettingsError("\n".join(mistakes))
        self._ledger = Ledger(settings.ledger_url)
        if not settings.dry_run:
            ensure_current(self._ledger, settings.anchor_file)
        self._run = self._start_run()
        self._channels = channels
        self._dispatcher = wiring.build_dispatcher(
            settings, self._ledger, channels, self._run, self._alerts
        )
        messages = Messages(settings.templates_dir, public_url=settings.public_url)
        self._follow_up = FollowUp(
            self._ledger,
            self._alerts,
            messages,
            run=self._run,
            ask=lambda: follow(self._ledger, self._channels, run=self._run),
            anchor_notify=settings.anchor_notify,
        )
        self.intake = Intake(
            self._ledger,
            self._alerts,
            messages,
            run=self._run,
            on_messages=self._dispatcher.wake,
            empty_ledger=settings.empty_ledger,
            dry_run=settings.dry_run,
            let_go=let_go,
        )
        self.intake.start()
        if not settings.dry_run:
            self._dispatcher.start()

    def _start_run(self) -> runs.Run:
        if self._settings.dry_run:
            return runs.Run(id=long_id(), command="dry run", started_at=runs.utc_now())
        return runs.start(
            self._ledger,
            command="target",
            version=wiring.version(),
            body={
                "alerts_file": wiring.file_digest(self._settings),
                "rules": {rule.name: rule.fingerprint for rule in self._alerts.rules},
            },
        )

    def wake_to_stop(self) -> None:
        """Called by a signal handler: deliver no further message."""
        self._dispatcher.wake_to_stop()

    def finish(self, *, interrupted: bool) -> None:
        """Deliver what is due, ask for the statuses of earlier messages, and close the run.

        Raises:
            CredentialsRefusedError: A provider refused our credentials.
            LedgerError: The ledger failed while delivering.
        """
        self.intake.close()
        for notice in () if interrupted else self.intake.notices():
            logger.info("%s", notice)
        if not self._settings.dry_run:
            if not interrupted:
                self._dispatcher.finish(
                    deadline_seconds=self._settings.delivery_deadline_seconds,
                    more=(
                        self._follow_up.take,
                        self._follow_up.ask_and_tell_failures,
                        self._follow_up.look_for_unheard,
                    ),
                )
            self._dispatcher.stop()
        reason = self._dispatcher.refused
        self._close("interrupted" if interrupted else "failed" if reason else "completed")
        if reason is not None:
            raise CredentialsRefusedError(
                f"{reason}; nothing was lost: correct the credentials, and the next run or "
                "`twilio-alerts deliver` sends what is pending",
            )

    def abort(self) -> None:
        """Stop after a fatal error; what was committed stays, what was not is gone."""
        self.intake.close()
        if not self._settings.dry_run:
            self._dispatcher.stop()
        # A ledger that is away cannot be told, and why has been told.
        with suppress(LedgerError):
            self._close("failed")

    def _close(self, outcome: str) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            summary = self._summary()
            if not self._settings.dry_run:
                head = end_run(
                    self._ledger, self._settings, self._run, outcome=outcome, summary=summary
                )
                logger.info("%s", head)
        finally:
            self._ledger.close()
        for line in _told(summary):
            logger.info("%s", line)

    def _summary(self) -> dict[str, Any]:
        by_rule: dict[str, dict[str, int]] = defaultdict(dict)
        for (rule, outcome), number in sorted(self.intake.outcomes.items()):
            by_rule[rule][outcome] = number
        with self._ledger.read() as connection:
            states = outbox.count_by_state(connection)
        return {
            "counts": dict(sorted(self.intake.counts.items())),
            "taken": dict(sorted(self.intake.taken.items())),
            "rules": dict(by_rule),
            "delivery": {
                name: number
                for name, number in vars(self._dispatcher.tally).items()
                if isinstance(number, int)
            },
            "failures": self._dispatcher.tally.failures,
            "messages": states,
        }


def _told(summary: dict[str, Any]) -> list[str]:
    """The summary in plain words, a line each."""
    counts = ", ".join(f"{number} {name}" for name, number in summary["counts"].items())
    taken = ", ".join(f"{number} {entity}" for entity, number in summary["taken"].items())
    lines = [f"Taken in: {counts or 'nothing'}" + (f" ({taken})" if taken else "")]
    for rule, outcomes in summary["rules"].items():
        told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in outcomes.items())
        lines.append(f"Rule {rule}: {told}")
    delivery = ", ".join(f"{number} {name}" for name, number in summary["delivery"].items())
    lines.append(f"Handed over in this run: {delivery}")
    lines += [f"Failed: {failure}" for failure in summary["failures"]]
    waiting = {
        state: number
        for state, number in summary["messages"].items()
        if state in {"pending", "claimed", "sending", "unknown"}
    }
    if waiting:
        told = ", ".join(f"{number} {state}" for state, number in sorted(waiting.items()))
        lines.append(f"Not at their end: {told}; see `twilio-alerts audit`")
    return lines
