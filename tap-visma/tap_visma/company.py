"""One company of Visma.net: what all its streams share."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from tap_visma.auth import VismaConnect
from tap_visma.bookmarks import start_of_day_or_time
from tap_visma.errors import AccessError
from tap_visma.limits import RateLimits
from tap_visma.settings import setting

if TYPE_CHECKING:
    from collections.abc import Mapping


class Company:
    """A company with its token, its rate limits and its connection.

    Args:
        config: The tap's settings.

    Raises:
        AccessError: A setting has a value that cannot be used.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        for name in ("client_id", "client_secret", "tenant_id"):
            if not setting(config, name):
                raise AccessError(f"{name} is empty: set it (TAP_VISMA_{name.upper()})")
        self.tenant_id: str = setting(config, "tenant_id")
        self.name: str = setting(config, "company") or self.tenant_id
        self.api_url = _url("api_url", setting(config, "api_url"))
        self.start_date = _start_date(setting(config, "start_date"))
        user_agent = setting(config, "user_agent")
        user_agent = user_agent or f"tap-visma/{metadata.version('tap-visma')}"
        self.headers = {
            "Accept": "application/json",
            "User-Agent": _header("user_agent", user_agent),
        }
        if company_id := setting(config, "company_id"):
            self.headers["ipp-company-id"] = _header("company_id", company_id)
        self.auth = VismaConnect(
            url=_url("auth_url", setting(config, "auth_url")),
            client_id=setting(config, "client_id"),
            client_secret=setting(config, "client_secret"),
            tenant_id=self.tenant_id,
            scope=setting(config, "scope"),
            user_agent=user_agent,
        )
        self.limits = RateLimits(
            max_wait_seconds=setting(config, "max_wait_seconds"),
            reserve=setting(config, "rate_limit_reserve"),
        )
        self.page_size: int = setting(config, "page_size")
        self.lookback_seconds: int = setting(config, "lookback_seconds")
        self.timeout_seconds: int = setting(config, "request_timeout_seconds")
        self.session = requests.Session()

    @property
    def context(self) -> dict[str, Any]:
        """What leads the key of each of its records, and names its partition in STATE."""
        return {"tenant_id": self.tenant_id, "company": self.name}


def _url(name: str, text: str) -> str:
    try:
        host = parse_url(text).host
    except LocationParseError:
        host = None
    if not host or not text.startswith(("https://", "http://")):
        raise AccessError(f"{name} {text!r} is no address: give one such as https://host")
    return text.rstrip("/")


def _header(name: str, text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise AccessError(f"{name} cannot be sent: use plain letters, digits and signs")
    return text


def _start_date(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return start_of_day_or_time(text)
    except ValueError:
        raise AccessError(
            f"start_date {text!r} is no date: give one such as 2026-01-01",
        ) from None
