"""The tap: one setting, four streams."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from target_twilio_alerts.audit_tap.streams import Alerts, AuditEvents, Messages, Runs
from target_twilio_alerts.ledger import Ledger, LedgerError
from target_twilio_alerts.settings import SETTINGS, Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

_LEDGER_URL = SETTINGS["properties"]["ledger_url"]


class TapTwilioAlertsAudit(Tap):
    """Reads the audit ledger of target-twilio-alerts: alerts, messages, events and runs."""

    name = "tap-twilio-alerts-audit"
    package_name = "target-twilio-alerts"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "ledger_url",
            th.StringType,
            secret=True,
            default=_LEDGER_URL["default"],
            title=_LEDGER_URL["title"],
            description="Database of the audit ledger, as target-twilio-alerts has it. A relative "
            "file counts from the Meltano project's root.",
            examples=_LEDGER_URL["examples"],
        ),
    ).to_dict()
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @contextmanager
    def opened_ledger(self) -> Iterator[Ledger]:
        """The ledger, which must be there, closed afterwards.

        Raises:
            LedgerError: It is not, or cannot be opened.
            SettingsError: The setting is no database URL.
        """
        url = Settings.from_config({"ledger_url": self.config.get("ledger_url")}).ledger_url
        parsed = sa.make_url(url)
        file = Path(parsed.database or "")
        if parsed.get_backend_name() == "sqlite" and not file.is_file():
            raise LedgerError(
                f"ledger_url: there is no ledger {file}: run target-twilio-alerts first, or give "
                "the ledger_url that it has",
            )
        ledger = Ledger(url)
        try:
            yield ledger
        finally:
            ledger.close()

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream(tap=self) for stream in (AuditEvents, Alerts, Messages, Runs)]

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Read what is new; exits with 1 and one line if the ledger cannot be read."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        tap = cls(
            config=config.config if config else None,
            state=None if state is None else json.load(state),
            catalog=None if catalog is None else json.load(catalog),
            parse_env_config=bool(config and config.parse_env),
        )
        try:
            with tap.opened_ledger():  # before a stream fails by it, with a traceback
                tap.sync_all()
        except (LedgerError, SettingsError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400
            sys.exit(1)
