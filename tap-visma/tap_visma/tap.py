"""The tap: its settings, its streams, and how a run ends."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_visma.company import Company
from tap_visma.errors import AccessError, LimitReachedError, TapError
from tap_visma.settings import SETTINGS, told_plainly
from tap_visma.streams import STREAMS

if TYPE_CHECKING:
    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput


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

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            told = [told_plainly(one) for one in error.errors]
            raise ConfigValidationError(str(error), errors=told, schema=error.schema) from None

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

    def note_skipped(self, stream: str) -> None:
        """Note a stream that was not even tried, because of what stopped one before it."""
        if isinstance(self.stopped_by, AccessError):
            self.failures[stream] = self.stopped_by

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
