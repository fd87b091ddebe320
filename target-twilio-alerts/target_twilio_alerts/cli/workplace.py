"""What every command needs: settings, the alerts file, the ledger; and errors told in one line."""

from __future__ import annotations

import functools
import getpass
import json
import logging
import os
import signal
import warnings
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from dotenv import find_dotenv, load_dotenv
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from target_twilio_alerts.audit.anchors import AnchorError
from target_twilio_alerts.audit.restored import ensure_current
from target_twilio_alerts.ledger import Ledger, LedgerError
from target_twilio_alerts.messages import mask_words
from target_twilio_alerts.rules import Alerts, AlertsFileError, load_alerts
from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.session import CredentialsRefusedError
from target_twilio_alerts.setting_errors import unreadable
from target_twilio_alerts.settings import Settings, SettingsError
from target_twilio_alerts.target import TargetTwilioAlerts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PREFIX = "TARGET_TWILIO_ALERTS_"

Command = TypeVar("Command", bound="Callable[..., Any]")

FORMAT_OPTION = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "jsonl"]),
    default="table",
    show_default=True,
    help="How to print.",
)


def masked(_context: click.Context, _parameter: click.Parameter, words: str | None) -> str | None:
    """What a person wrote, on one line, without addresses: it stays in the trail for ever."""
    return None if words is None else mask_words(" ".join(words.split()))


def _said(_context: click.Context, parameter: click.Parameter, words: str) -> str:
    said = masked(_context, parameter, words)
    if not said:
        raise click.ClickException(f"--{parameter.name} is empty; say why")
    if len(said) > _LONGEST_REASON:
        raise click.ClickException(
            f"--{parameter.name} is a text of at most {_LONGEST_REASON} characters; say it shorter"
        )
    return said


_LONGEST_REASON = 200

REASON_OPTION = click.option(
    "--reason", required=True, callback=_said, help="Why; kept in the audit trail."
)
BY_OPTION = click.option(
    "--by",
    "--author",
    "by",
    callback=masked,
    help="Who wants it, if not the one at the keyboard; kept in the audit trail.",
)
CONFIG_OPTION = click.option(
    "--config",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Configuration file (JSON); may be given more than once.",
)


class Workplace:
    """Settings and ledger of one command line.

    Args:
        config: Configuration files; the environment is read beside them.
    """

    def __init__(self, config: tuple[str, ...] = ()) -> None:
        self._config = config

    @functools.cached_property
    def given(self) -> dict[str, Any]:
        """What the configuration files say; a later file wins."""
        given: dict[str, Any] = {}
        for path in self._config:
            given |= _read_config(path)
        return given

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings, checked; the environment wins over files, as it does for the target."""
        # The SDK's own reading of the environment lets `.env` overrule what was exported.
        load_dotenv(find_dotenv(usecwd=True))
        schema = TargetTwilioAlerts.config_jsonschema
        try:
            environment = parse_environment_config(schema, _PREFIX, dotenv_path=os.devnull)
        except ValueError:
            raise unreadable(schema, _PREFIX) from None
        with warnings.catch_warnings():
            # That Python 3.10 is old concerns whoever runs the pipeline, not this command.
            warnings.filterwarnings("ignore", message="Python 3.* reached its end of life")
            target = TargetTwilioAlerts(config={**self.given, **environment}, setup_mapper=False)
        # The SDK took the signals over for its own; a command line wants the usual ones.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return Settings.from_config(target.config)

    def unknown_settings(self) -> list[str]:
        """Names in the configuration files that are no setting, each with what was likely meant."""
        known = TargetTwilioAlerts.config_jsonschema["properties"]
        return [
            f"{name}: no such setting; {suggestion(name, known, 'there are')}"
            for name in self.given
            if name not in known
        ]

    @functools.cached_property
    def alerts(self) -> Alerts:
        """The alerts file, checked."""
        return load_alerts(self.settings.alerts_file)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, closed afterwards."""
        ledger = Ledger(self.settings.ledger_url)
        try:
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def sending_ledger(self) -> Iterator[Ledger]:
        """The ledger of commands that send.

        Raises:
            LedgerError: It is behind its anchors.
        """
        with self.ledger() as ledger:
            ensure_current(ledger, self.settings.anchor_file)
            yield ledger

    @contextmanager
    def known_ledger(self) -> Iterator[Ledger]:
        """The ledger of commands that only read it, and so make none.

        Raises:
            LedgerError: There is none yet.
        """
        path = _sqlite_file(self.settings.ledger_url)
        if path is not None and not path.exists():
            raise LedgerError(f"there is no ledger {path} yet: the first run makes it")
        with self.ledger() as ledger:
            yield ledger


def _sqlite_file(url: str) -> Path | None:
    """The file of a ledger; None if it is none, or no URL, which opening it tells."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return Path(parsed.database or "") if parsed.drivername.startswith("sqlite") else None


def _read_config(path: str) -> dict[str, Any]:
    try:
        config = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: not a JSON file that can be read ({error})") from None
    if not isinstance(config, dict):
        raise SettingsError(f'{path}: holds no settings; write {{"account_sid": ..., ...}}')
    return config


def told_in_one_line(command: Command) -> Command:
    """Turn the errors that a user can mend into their text and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except ConfigValidationError as error:
            raise click.ClickException("\n".join(error.errors)) from None
        except (
            AlertsFileError,
            AnchorError,
            CredentialsRefusedError,
            LedgerError,
            SettingsError,
        ) as error:
            raise click.ClickException(str(error)) from None

    return cast("Command", wrapped)


@contextmanager
def silent_logs() -> Iterator[None]:
    """Keep the log of runs that are only played: what it would say is not so."""
    package = logging.getLogger(__package__.partition(".")[0])
    before = package.level
    package.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        package.setLevel(before)


def moment_of(option: str, text: str) -> datetime:
    """A day or a time that an option gives, in UTC unless it says otherwise.

    Raises:
        click.ClickException: It is none.
    """
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise click.ClickException(
            f"{option} {text}: write a day or a time, as in 2026-11-01 or 2026-11-01T08:00",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def signed(by: str | None, reason: str) -> dict[str, str]:
    """What an event tells of who did it and why; the account at the keyboard beside who says so."""
    operator = operator_name()
    return {"by": by or operator, "operator": operator, "reason": reason}


def operator_name() -> str:
    """Who is at the keyboard, for the audit trail: the account, not what its environment says."""
    try:
        import pwd  # noqa: PLC0415 - Windows has none
    except ImportError:
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user of no name
        return f"uid {os.getuid()}"
