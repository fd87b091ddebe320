"""The Singer face: settings and messages in, STATE out once the ledger has committed."""

from __future__ import annotations

import signal
import sys
from copy import deepcopy
from typing import IO, TYPE_CHECKING, Any, ClassVar, NoReturn

import msgspec
from singer_sdk.exceptions import ConfigValidationError, RecordsWithoutSchemaException
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.target_base import Target

from target_twilio_alerts.intake import UnknownHistoryError
from target_twilio_alerts.ledger import LedgerError
from target_twilio_alerts.reading import AlertsReader, InterruptibleLines, ProtocolError
from target_twilio_alerts.rules import AlertsFileError
from target_twilio_alerts.session import CredentialsRefusedError, Session
from target_twilio_alerts.setting_errors import unreadable, without_secrets
from target_twilio_alerts.settings import SETTINGS, Settings, SettingsError
from target_twilio_alerts.sinks import AlertSink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

EXIT_CANNOT_GO_ON = 2

_state_encoder = msgspec.json.Encoder(decimal_format="number")

_TELLABLE = (
    AlertsFileError,
    CredentialsRefusedError,
    LedgerError,
    ProtocolError,
    RecordsWithoutSchemaException,
    SettingsError,
    UnknownHistoryError,
)
"""Errors whose text tells a user what is wrong and how to mend it."""


class TargetTwilioAlerts(Target):
    """Turns finance records into alerts by SMS and email, with an audit ledger."""

    name = "target-twilio-alerts"
    config_jsonschema = deepcopy(SETTINGS)  # the SDK adds its own
    default_sink_class = AlertSink
    message_reader_class = AlertsReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
    ]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_parallelism = 1
        self._session: Session | None = None
        self._lines: InterruptibleLines | None = None
        self._signal: int | None = None
        self._reads_typed: AlertSink | None = None
        if isinstance(self.message_reader, AlertsReader):
            self.message_reader.take = self._take

    def _take(self, line: bytes) -> bool:
        """Take a line in the faster way: nearly all are records of the stream of the last one."""
        return self._reads_typed is not None and self._reads_typed.take(line)

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - of the class, as the SDK's own is
        try:
            given: dict[str, Any] = super()._env_var_config
        except ValueError:
            raise unreadable(cls.config_jsonschema, cls._env_var_prefix) from None
        return given

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            told = [without_secrets(one) for one in error.errors]
            raise ConfigValidationError(str(error), errors=told, schema=error.schema) from None

    @property
    def session(self) -> Session:
        """The run, opened with the first message."""
        if self._session is None:
            self._session = Session(Settings.from_config(self.config), self._write_state_message)
        return self._session

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.session.intake.begin_stream(str(message_dict.get("stream")))
        super()._process_schema_message(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        super()._process_record_message(message_dict)
        sink = self._sinks_active.get(str(message_dict["stream"]))
        self._reads_typed = sink if isinstance(sink, AlertSink) else None

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        # The SDK emits STATE at the end of input only, and loses it when the target dies before.
        self._assert_line_requires(message_dict, requires={"value"})
        self.session.intake.state(message_dict["value"])

    def _write_state_message(self, state: Mapping[str, Any]) -> None:
        # The SDK's own cannot write the exact numbers that our reader reads.
        if not self.config.get("dry_run"):
            sys.stdout.write(f"{_state_encoder.encode(state).decode()}\n")
            sys.stdout.flush()

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Do nothing: there is no table of which an older version would have to go."""

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise ProtocolError(
            f"the tap sends stream {str(message_dict.get('stream'))[:80]} in BATCH files, which "
            "this target does not read: unset batch_config of the tap",
        )

    def process_endofpipe(self) -> None:
        """Commit the rest, let STATE go, then deliver until the deadline."""
        interrupted = self._signal is not None
        if interrupted:
            self.session.intake.commit()
        else:
            self.session.intake.finish()
        super().process_endofpipe()
        self.session.finish(interrupted=interrupted)

    def abort(self) -> None:
        """Close the run as failed, if it was opened."""
        if self._session is not None:
            self._session.abort()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        if self._lines is None:
            super()._handle_termination(signum, frame)
            return
        self._signal = signum
        self._lines.stop()
        if self._session is not None:
            self._session.wake_to_stop()

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the target; a target that cannot go on reads its input to the end and exits with 2.

        Otherwise the tap, and with it Meltano, would die of a broken pipe, and bury our one line.
        """
        super(Target, cls).invoke(about=about, about_format=about_format)
        lines = InterruptibleLines((file_input or sys.stdin).fileno())
        target: TargetTwilioAlerts | None = None
        try:
            target = cls(
                config=config.config if config else None,
                parse_env_config=bool(config and config.parse_env),
            )
            target._lines = lines
            target.listen(lines)  # type: ignore[arg-type]
        except ConfigValidationError as error:
            cls._give_up(target, lines, list(error.errors))
        except _TELLABLE as error:
            cls._give_up(target, lines, str(error).splitlines())
        except Exception:
            cls.logger.exception("An error that this target does not know; please report it")
            cls._give_up(target, lines, [])
        if target._signal is not None:
            name = signal.Signals(target._signal).name
            cls.logger.error("Interrupted by %s: what was read is committed", name)
            sys.exit(128 + target._signal)

    @classmethod
    def _give_up(
        cls,
        target: TargetTwilioAlerts | None,
        lines: InterruptibleLines,
        reasons: list[str],
    ) -> NoReturn:
        for reason in reasons:
            cls.logger.error("%s", reason)
        lines.drain()
        if target is not None:
            target.abort()
        sys.exit(EXIT_CANNOT_GO_ON)
