"""Settings of the target and of ``twilio-alerts``: one set, one place, one way to read them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from singer_sdk import typing as th
from sqlalchemy.exc import ArgumentError

from target_twilio_alerts.audit.settings import TRAIL_SETTINGS, checked_retention
from target_twilio_alerts.delivery.settings import (
    ACCOUNT_SETTINGS,
    NUMBER,
    PATTERNS,
    checked_senders,
)
from target_twilio_alerts.ledger.databases import NOT_A_URL
from target_twilio_alerts.server.settings import (
    SERVER_SETTINGS,
    checked_command,
    checked_header,
    checked_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

TWILIO_API_URL = "https://api.twilio.com"
TWILIO_MESSAGING_URL = "https://messaging.twilio.com"
TWILIO_EMAIL_API_URL = "https://comms.twilio.com"
SENDGRID_API_URL = "https://api.sendgrid.com"

SETTINGS = th.PropertiesList(
    *ACCOUNT_SETTINGS,
    th.Property(
        "alerts_file",
        th.StringType,
        default="alerts/alerts.yml",
        title="Alerts file",
        description="Recipients, groups and rules. A relative path counts from the Meltano "
        "project's root. Own templates are in the folder `templates` beside it.",
    ),
    th.Property(
        "ledger_url",
        th.StringType,
        secret=True,
        default="sqlite:///ledger.db",
        title="Ledger URL",
        description="Database of the audit ledger: a SQLite file (a relative one counts from the "
        "Meltano project's root), or for several workers PostgreSQL, which needs the extra "
        "`postgres`. Back it up: it is the record of what was sent.",
        examples=["sqlite:///ledger.db", "postgresql+psycopg://user:password@host/database"],
    ),
    th.Property(
        "empty_ledger",
        th.StringType,
        default="refuse",
        allowed_values=["refuse", "baseline", "alert"],
        title="Empty ledger",
        description="What to do when the tap has bookmarks of earlier reads that the ledger has "
        "never seen: `refuse` the run, take what arrives in this run as `baseline`, or `alert` on "
        "it at once.",
    ),
    *TRAIL_SETTINGS,
    th.Property(
        "public_url",
        th.StringType,
        title="Public URL",
        description="Address under which Twilio, and links in emails, reach `twilio-alerts serve`. "
        "Without it statuses are only polled, at each run.",
        examples=["https://alerts.example.com"],
    ),
    *SERVER_SETTINGS,
    th.Property(
        "max_in_flight",
        th.IntegerType(minimum=1, maximum=16),
        default=4,
        title="Max in flight",
        description="How many messages are handed over at the same time.",
    ),
    th.Property(
        "messages_per_second",
        th.IntegerType(minimum=1, maximum=1000),
        title="Messages per second",
        description="How many parts of SMS leave in a second from each sender, in each process. "
        "Without it they leave at once, and Twilio queues what comes too fast.",
        examples=[10],
    ),
    th.Property(
        "calls_per_second",
        th.IntegerType(minimum=1, maximum=30),
        default=1,
        title="Calls per second",
        description="How many calls are begun in a second, in each process.",
    ),
    th.Property(
        "delivery_deadline_seconds",
        th.IntegerType(minimum=0, maximum=3600),
        default=120,
        title="Delivery deadline (seconds)",
        description="How long to go on delivering after the tap has ended; the rest stays pending "
        "for the next run or `twilio-alerts deliver`.",
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Decide and render everything, send nothing, keep nothing: no version, no "
        "alert, no STATE.",
    ),
    th.Property(
        "twilio_api_url",
        th.StringType,
        default=TWILIO_API_URL,
        title="Twilio API URL",
        description="Stands in for Twilio's API: a regional edge, a proxy or the sandbox.",
    ),
    th.Property(
        "twilio_messaging_url",
        th.StringType,
        default=TWILIO_MESSAGING_URL,
        title="Twilio Messaging URL",
        description="Stands in for Twilio's Messaging Services API.",
    ),
    th.Property(
        "twilio_email_api_url",
        th.StringType,
        default=TWILIO_EMAIL_API_URL,
        title="Twilio Email API URL",
        description="Stands in for Twilio Email's API.",
    ),
    th.Property(
        "sendgrid_api_url",
        th.StringType,
        default=SENDGRID_API_URL,
        title="SendGrid API URL",
        description="Stands in for SendGrid's API, e.g. https://api.eu.sendgrid.com.",
    ),
).to_dict()


class SettingsError(Exception):
    """A setting is wrong; the text names it and says how to mend it, a line each."""


@dataclass(frozen=True)
class Settings:
    """The settings, checked, with paths made absolute."""

    alerts_file: Path
    ledger_url: str
    empty_ledger: str
    account_sid: str | None
    auth_token: str | None
    api_key_sid: str | None
    api_key_secret: str | None
    from_number: str | None
    messaging_service_sid: str | None
    whatsapp_from: str | None
    senders: Mapping[str, str]
    voice_from: str | None
    email_driver: str
    sendgrid_api_key: str | None
    email_from: str | None
    anchor_file: Path | None
    anchor_notify: str | None
    restored_ledger: str
    retention: timedelta | None
    public_url: str | None
    sendgrid_webhook_key: str | None
    visma_webhook_secret: str | None
    visma_webhook_header: str | None
    poll_command: tuple[str, ...]
    max_in_flight: int
    messages_per_second: int | None
    calls_per_second: int
    delivery_deadline_seconds: int
    dry_run: bool
    twilio_api_url: str
    twilio_messaging_url: str
    twilio_email_api_url: str
    sendgrid_api_url: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, root: Path | None = None) -> Settings:
        """Read a plugin configuration.

        Args:
            config: Setting names and values, as Meltano or a config file gives them.
            root: Folder that relative paths count from; the Meltano project's root by default.

        Raises:
            SettingsError: A value cannot be right.
        """
        root = root or Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path.cwd())
        given = {field.name: _given(config, field.name) for field in fields(cls)}
        _check_texts(given)
        for name, choices in _CHOICES.items():
            if given[name] not in choices:
                *others, last = choices
                raise SettingsError(f"{name}: must be {', '.join(others)} or {last}")
        given["senders"] = _checked(checked_senders, given["senders"] or {})
        for name in (field.name for field in fields(cls) if field.name.endswith("_api_url")):
            given[name] = _checked_url(name, given[name])
        for name in ("twilio_messaging_url", "public_url"):
            if given[name] is not None:
                given[name] = _checked_url(name, given[name])
        for name, check in _CHECKS.items():
            given[name] = _checked(check, given[name])
        given["alerts_file"] = root / given["alerts_file"]
        given["anchor_file"] = given["anchor_file"] and root / given["anchor_file"]
        given["ledger_url"] = _rooted_ledger_url(given["ledger_url"], root)
        return cls(**given)

    @property
    def templates_dir(self) -> Path:
        """The folder of own templates, beside the alerts file."""
        return self.alerts_file.parent / "templates"

    def missing_for(self, channel: str) -> str | None:
        """Name what a channel still needs, or None when it can be used."""
        if channel == "email" and self.email_driver == "sendgrid":
            missing = None if self.sendgrid_api_key else "sendgrid_api_key"
        else:
            missing = self._missing_at_twilio()
        return missing or self._missing_sender(channel)

    @property
    def caller(self) -> str | None:
        """The number that calls."""
        is_number = self.from_number is not None and re.fullmatch(NUMBER, self.from_number)
        return self.voice_from or (self.from_number if is_number else None)

    def _missing_at_twilio(self) -> str | None:
        if not self.account_sid:
            return "account_sid"
        if not self.auth_token and not (self.api_key_sid and self.api_key_secret):
            return "auth_token (or api_key_sid with api_key_secret)"
        return None

    def _missing_sender(self, channel: str) -> str | None:
        if channel == "email":
            return None if self.email_from else "email_from"
        if channel == "voice":
            return None if self.caller else "voice_from"
        if self.messaging_service_sid:
            return None
        if channel == "whatsapp":
            return None if self.whatsapp_from else "whatsapp_from (or messaging_service_sid)"
        return None if self.from_number else "from_number (or messaging_service_sid)"


_CHOICES = {
    "email_driver": ("sendgrid", "twilio"),
    "empty_ledger": ("refuse", "baseline", "alert"),
    "restored_ledger": ("refuse", "ignore"),
}


def _given(config: Mapping[str, Any], name: str) -> Any:
    """A setting's value, or its default where it was left empty, as a line in `.env` may be."""
    value = config.get(name)
    if isinstance(value, str):
        value = value.strip()
    return SETTINGS["properties"][name].get("default") if value in (None, "") else value


def _check_texts(given: Mapping[str, Any]) -> None:
    for name, pattern, example in PATTERNS:
        if given[name] is not None and not re.fullmatch(pattern, given[name]):
            raise SettingsError(f"{name}: not of the form {example}; copy it from the Console")
    for name in ("auth_token", "api_key_secret", "sendgrid_api_key", "visma_webhook_secret"):
        if given[name] is not None and not re.fullmatch(r"[!-~]+", given[name]):
            raise SettingsError(f"{name}: has a character that none has; copy it once more")


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "retention": checked_retention,
    "sendgrid_webhook_key": checked_key,
    "visma_webhook_header": checked_header,
    "poll_command": checked_command,
}


def _checked(check: Callable[[Any], Any], given: Any) -> Any:
    try:
        return check(given)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _checked_url(name: str, value: str) -> str:
    # A path with braces would be a pattern to the server's routes.
    if not re.fullmatch(r"https?://[^\s/?#@{}]+(/[^\s?#{}]*)?", value) or not _has_host(value):
        raise SettingsError(
            f"{name}: not a URL of the form https://host or https://host:8443/path; correct it"
        )
    return value.rstrip("/")


def _has_host(url: str) -> bool:
    """Whether a URL has a host, and if a port, one that can be."""
    try:
        place = urlsplit(url)
        port = place.port
    except ValueError:  # brackets without an IPv6 address, or no port
        return False
    return bool(place.hostname) and port != 0 and not place.netloc.endswith(":")


def _rooted_ledger_url(value: str, root: Path) -> str:
    try:
        url = sa.make_url(value)
    except (ArgumentError, ValueError):
        raise SettingsError(NOT_A_URL) from None
    if url.drivername.startswith("sqlite") and url.database and url.database != ":memory:":
        url = url.set(database=str(root / url.database))
    return url.render_as_string(hide_password=False)
