"""The tap: its settings, its streams, and how a run ends."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import click
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Schema
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_visma.checks import problems
from tap_visma.company import Company
from tap_visma.connection import ConnectionCheck
from tap_visma.deletes import DELETED_AT, SCHEMA, KeysFile, keys_path
from tap_visma.errors import AccessError, LimitReachedError, ShareUsedError, TapError
from tap_visma.kinds import lines_stream
from tap_visma.limits import Budgets
from tap_visma.lines import LinesStream
from tap_visma.settings import SETTINGS, setting, told_plainly
from tap_visma.stream import VismaStream
from tap_visma.streams import STREAMS
from tap_visma.writing import PageWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

_BY_NAME: dict[str, type[VismaStream]] = {cast("Any", stream).name: stream for stream in STREAMS}


class TapVisma(Tap):
    """Reads finance documents from the Visma.net ERP API."""

    name = "tap-visma"
    config_jsonschema = deepcopy(SETTINGS)  # the SDK adds its own
    message_writer_class = PageWriter
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
        self._unselected: dict[str, VismaStream] = {}
        super().__init__(**kwargs)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        try:
            warnings = super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            told = [told_plainly(one) for one in error.errors]
            raise ConfigValidationError(str(error), errors=told, schema=error.schema) from None
        if raise_errors and (found := problems(self.config, _BY_NAME)):
            text = "Config validation failed"
            raise ConfigValidationError(text, errors=found, schema=self.config_jsonschema)
        return warnings

    @override
    def setup_mapper(self) -> None:
        """Let records tell of deletes, also if the catalog is older than that setting."""
        catalog = self.input_catalog
        if catalog is not None and setting(self.config, "detect_deletes_hours"):
            for name, entry in catalog.items():
                if name in _BY_NAME and entry.schema.properties is not None:
                    entry.schema.properties[DELETED_AT] = Schema.from_dict(SCHEMA)
        super().setup_mapper()

    # What streams ask

    @cached_property
    def companies(self) -> list[Company]:
        """The companies that are read."""
        budgets = Budgets(
            max_wait_seconds=setting(self.config, "max_wait_seconds"),
            reserve=setting(self.config, "rate_limit_reserve"),
        )
        named = self.config.get("companies") or [None]
        return [Company(self.config, one, budgets=budgets) for one in named]

    @cached_property
    def keys_file(self) -> KeysFile:
        """The keys that were seen, if deletes are looked for."""
        return KeysFile(keys_path(self.config))

    def company_of(self, context: Mapping[str, Any]) -> Company:
        """The company that a partition is of; the first, if it names none."""
        for company in self.companies:
            if context.get("tenant_id") == company.tenant_id:
                return company
        return self.companies[0]

    def stream_of(self, name: str) -> VismaStream:
        """A stream by its name, selected or not."""
        if name not in self._unselected and name not in self.streams:
            self._unselected[name] = _BY_NAME[name](tap=self)
        return self._unselected.get(name) or cast("VismaStream", self.streams[name])

    def options_of(self, stream: str) -> Mapping[str, Any]:
        """What the setting `stream_options` says of a stream."""
        options: Mapping[str, Any] = (self.config.get("stream_options") or {}).get(stream) or {}
        return options

    @property
    def page_size(self) -> int:
        """Rows to ask for at a time."""
        return int(setting(self.config, "page_size"))

    @property
    def readings_at_once(self) -> int:
        """How many partitions may be read at the same time."""
        return int(setting(self.config, "parallel_companies"))

    # What is read

    @override
    def discover_streams(self) -> list[Stream]:
        found: list[Stream] = [stream(tap=self) for stream in STREAMS if self._is_wanted(stream)]
        if setting(self.config, "lines"):
            found += [
                LinesStream.of(stream)(tap=self)
                for stream in STREAMS
                if stream.lines is not None and self._is_wanted(stream)
            ]
        return found

    def _is_wanted(self, stream: Any) -> bool:
        """Whether to make a stream: one that the catalog does not name takes time for nothing."""
        catalog = self.input_catalog
        return catalog is None or stream.name in catalog or lines_stream(stream.name) in catalog

    def sync(self) -> None:
        """Read all selected streams; first what alerts wait for, last what finds deletes."""
        self._streams = dict(sorted(self.streams.items(), key=lambda one: self._urgency(one[1])))
        try:
            self.sync_all()
            for stream in self._streams.values():
                if isinstance(stream, VismaStream):
                    stream.look_for_deletes()
        finally:
            self._close()

    def _close(self) -> None:
        for company in self.companies:
            company.close()
        self.keys_file.close()

    def _urgency(self, stream: Stream) -> tuple[bool, bool]:
        """Sorts streams: those first that were read before, and among them finance."""
        entry = self.state.get("bookmarks", {}).get(stream.name, {})
        is_known = all(
            one.get("replication_key_value") and "progress_markers" not in one
            for one in entry.get("partitions") or [{}]
        )
        return (not is_known, not stream.selected_by_default)

    def note(self, company: Company, what: str, error: TapError | LimitReachedError) -> None:
        """Note why something of a company was not read to its end; the others go on if they can."""
        if isinstance(error, ShareUsedError):
            if company.backfill_stopped_by is None:
                self.logger.warning("%s: stopped: %s", what, error)
                company.backfill_stopped_by = error
            return
        if isinstance(error, LimitReachedError):
            if company.stopped_by is None:
                self.logger.warning("%s: stopped: %s", what, error)
                company.stopped_by = error
            return
        if isinstance(error, AccessError):
            if company.stopped_by is None:
                whose = f"{company.name}: " if len(self.companies) > 1 else ""
                self.logger.error("%s%s", whose, error)
                company.stopped_by = error
        else:
            self.logger.error("%s: %s", what, error)
        self.failures[what] = error

    @override
    def _reset_state_progress_markers(self) -> None:
        """Keep them: they say where an unfinished read goes on."""

    @classmethod
    @override
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        with cls._told(ctx):
            super().cb_discover(ctx, param, value)

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        if value != CliTestOptionValue.All.value:
            with cls._told(ctx):
                super().cb_test(ctx, param, value)
            return
        with cls._told(ctx):
            config: _ConfigInput = ctx.params["config"]
            catalog = ctx.params.get("catalog")
            tap = cls(
                config=config.config,
                parse_env_config=config.parse_env,
                catalog=None if catalog is None else _selected(_from_file(catalog)),
            )
            ctx.exit(0 if tap.check_connection(click.echo) else 1)

    def check_connection(self, tell: Callable[[str], object]) -> bool:
        """Tell what each company lets be read of the selected streams; whether it is all.

        Args:
            tell: Prints one line.
        """
        streams = [
            cast("VismaStream", stream)
            for stream in self.streams.values()
            if stream.selected and not isinstance(stream, LinesStream)
        ]
        try:
            return ConnectionCheck(self.companies, streams, tell=tell).run()
        finally:
            self._close()

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for option in command.params:
            if option.name == "catalog":
                option.is_eager = True  # `--test` needs it, in whatever order they are given
            elif isinstance(option, click.Option) and option.name == "test":
                option.type = click.Choice([one.value for one in CliTestOptionValue])
                option.show_choices = False
                option.help = (
                    "Tell whom the settings reach, and which of the selected streams can be read; "
                    "exits with 1 if not all can. --test=schema writes schemas only."
                )
        return command

    @classmethod
    @contextmanager
    def _told(cls, ctx: click.Context) -> Iterator[None]:
        """Tell what went wrong in one line each, for whoever must mend it."""
        try:
            yield
        except ConfigValidationError as error:
            for one in error.errors:
                cls.logger.error("%s", one)  # noqa: TRY400
            ctx.exit(1)
        except (TapError, LimitReachedError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400
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
            state=None if state is None else _from_file(state),
            catalog=None if catalog is None else _selected(_from_file(catalog)),
            parse_env_config=bool(config and config.parse_env),
        )
        tap.sync()
        if tap.failures:
            cls.logger.error("Not read to the end: %s", ", ".join(sorted(tap.failures)))
            sys.exit(1)


def _from_file(file: IO[str]) -> dict[str, Any]:
    """What a file of the command line holds.

    Raises:
        ClickException: It is no JSON object.
    """
    try:
        found = json.load(file)
    except ValueError as error:
        raise click.ClickException(f"{file.name}: no JSON ({error}); give another file") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"{file.name}: no JSON object; give another file")
    return found


def _selected(catalog: dict[str, Any]) -> dict[str, Any]:
    """A catalog without the streams that are not selected, of which there may be many."""
    streams = [
        one
        for one in catalog.get("streams", [])
        if any(
            not entry.get("breadcrumb") and entry.get("metadata", {}).get("selected")
            for entry in one.get("metadata", [])
        )
        or one.get("selected")
    ]
    return {**catalog, "streams": streams}
