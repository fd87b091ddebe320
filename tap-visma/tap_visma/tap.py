"""The tap: its settings, its streams, and how a run ends."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_visma.company import Company
from tap_visma.errors import AccessError, LimitReachedError, TapError
from tap_visma.streams import STREAMS

if TYPE_CHECKING:
    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

SETTINGS = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        required=True,
        title="Client id",
        description="Of your service application in the Visma Developer Portal.",
        examples=["isv_example"],
    ),
    th.Property(
        "client_secret",
        th.StringType,
        required=True,
        secret=True,
        title="Client secret",
        description="Of the same application.",
    ),
    th.Property(
        "tenant_id",
        th.StringType,
        required=True,
        title="Tenant id",
        description="The company's tenant id (a GUID), not the customer's: with that one every "
        "call answers 401.",
        examples=["11111111-1111-4111-8111-111111111111"],
    ),
    th.Property(
        "company",
        th.StringType,
        title="Company",
        description="What to call the company in records and alerts; the tenant id if it is not "
        "given. It is part of each key, so do not change it later.",
        examples=["Nordisk Demo AB"],
    ),
    th.Property(
        "company_id",
        th.StringType,
        title="Company id",
        description="Sent as the header `ipp-company-id`, which older integrations need. A wrong "
        "one may give empty answers instead of errors, so leave it out unless you need it.",
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description="Read nothing that was last modified before, in Visma's own clock. Without it "
        "the first run reads everything.",
        examples=["2026-01-01"],
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.finance.visma.net",
        title="API URL",
        description="Address of the Visma.net ERP API, or of what stands in for it.",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        default="https://connect.visma.com/connect/token",
        title="Auth URL",
        description="Visma Connect's token endpoint, or what stands in for it.",
    ),
    th.Property(
        "scope",
        th.StringType,
        default="vismanet_erp_service_api:read",
        title="Scope",
        description="Scopes to ask for, separated by spaces. Reading needs only the default.",
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType(minimum=0),
        default=3900,
        title="Lookback (seconds)",
        description="How far before the bookmark each read starts. The default covers the hour "
        "that summer time repeats; only the query overlaps, and what is read twice does no harm.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=10, maximum=5000),
        default=500,
        title="Page size",
        description="Rows to ask for at a time. The API reduces it to its own maximum, and slow "
        "or failing answers make the tap halve it.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1, maximum=600),
        default=60,
        title="Request timeout (seconds)",
        description="How long to wait for an answer. Visma ends a request after four minutes.",
    ),
    th.Property(
        "max_wait_seconds",
        th.IntegerType(minimum=0),
        default=60,
        title="Maximum wait (seconds)",
        description="How long to wait for a rate limit. If it lasts longer, the run stops cleanly "
        "with its state, and the next one goes on.",
    ),
    th.Property(
        "rate_limit_reserve",
        th.IntegerType(minimum=0),
        default=0,
        title="Rate limit reserve",
        description="Calls to leave unused in each window, for other uses of the application.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="How the tap names itself to Visma; tap-visma and its version by default.",
    ),
).to_dict()


class TapVisma(Tap):
    """Reads finance documents from the Visma.net ERP API."""

    name = "tap-visma"
    config_jsonschema = deepcopy(SETTINGS)  # the SDK adds its own
    message_writer_class = MsgSpecWriter
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **kwargs: Any) -> None:
        self.failures: dict[str, TapError] = {}
        self.stopped_by: AccessError | LimitReachedError | None = None
        super().__init__(**kwargs)

    @cached_property
    def company(self) -> Company:
        """The company that is read."""
        return Company(self.config)

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream(tap=self) for stream in STREAMS]

    @property
    def is_stopped(self) -> bool:
        """Whether the company cannot be read any further in this run."""
        return self.stopped_by is not None

    def note(self, stream: str, error: TapError | LimitReachedError) -> None:
        """Note why a stream was not read to its end; the others go on if they can."""
        if isinstance(error, LimitReachedError):
            self.stopped_by = error
            self.logger.warning("%s: stopped: %s", stream, error)
            return
        if isinstance(error, AccessError):
            self.stopped_by = error
            self.logger.error("%s", error)
        else:
            self.logger.error("%s: %s", stream, error)
        self.failures[stream] = error

    @override
    def _reset_state_progress_markers(self) -> None:
        """Keep them: they say where an unfinished read goes on."""

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        try:
            super().cb_test(ctx, param, value)
        except (TapError, LimitReachedError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - one line, for whoever must mend it
            ctx.exit(1)

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
        """Read every selected stream; exits with 1 if one could not be read.

        A stop by a rate limit is no failure: the state is kept, and the next run goes on.
        """
        super(Tap, cls).invoke(about=about, about_format=about_format)
        tap = cls(
            config=config.config if config else None,
            state=None if state is None else json.load(state),
            catalog=None if catalog is None else json.load(catalog),
            parse_env_config=bool(config and config.parse_env),
        )
        try:
            tap.sync_all()
        except AccessError as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - one line, for whoever must mend it
            sys.exit(1)
        if tap.failures:
            cls.logger.error("Not read to the end: %s", ", ".join(sorted(tap.failures)))
            sys.exit(1)
