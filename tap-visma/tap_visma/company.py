"""One company of Visma.net: what all its streams share."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import requests

from tap_visma.auth import VismaConnect
from tap_visma.bookmarks import start_of_day_or_time
from tap_visma.errors import AccessError
from tap_visma.limits import RateLimits

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
            if not str(config[name]).strip():
                raise AccessError(f"{name} is empty: set it (TAP_VISMA_{name.upper()})")
        self.tenant_id = str(config["tenant_id"]).strip()
        self.name = str(config.get("company") or "").strip() or self.tenant_id
        self.api_url = str(config["api_url"]).rstrip("/")
        self.start_date = _start_date(config.get("start_date"))
        user_agent = config.get("user_agent") or f"tap-visma/{metadata.version('tap-visma')}"
        self.auth = VismaConnect(
            url=str(config["auth_url"]),
            client_id=str(config["client_id"]),
            client_secret=str(config["client_secret"]),
            tenant_id=self.tenant_id,
            scope=str(config["scope"]),
            user_agent=user_agent,
        )
        self.limits = RateLimits(
            max_wait_seconds=float(config["max_wait_seconds"]),
            reserve=int(config["rate_limit_reserve"]),
        )
        self.session = requests.Session()
        self.headers = {"Accept": "application/json", "User-Agent": user_agent}
        if config.get("company_id"):
            self.headers["ipp-company-id"] = str(config["company_id"])

    @property
    def context(self) -> dict[str, Any]:
        """What leads the key of each of its records, and names its partition in STATE."""
        return {"tenant_id": self.tenant_id, "company": self.name}


def _start_date(setting: object) -> str | None:
    if not setting:
        return None
    try:
        return start_of_day_or_time(str(setting))
    except ValueError:
        raise AccessError(
            f"start_date {setting!r} is no date: give one such as 2026-01-01",
        ) from None
