"""One company of Visma.net: what all its streams share."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import requests

from tap_visma.auth import VismaConnect
from tap_visma.bookmarks import start_of_day_or_time
from tap_visma.client import Client
from tap_visma.deadlines import DeadlineAdapter
from tap_visma.settings import setting
from tap_visma.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_visma.errors import AccessError, LimitReachedError, ShareUsedError
    from tap_visma.limits import Budgets
    from tap_visma.pagination import Row

_REDIRECTS = 3
"""How many to follow for one request; the API is not known to have any."""


class Company:
    """A company with its token, its rate limits, its connection and its threads.

    Args:
        config: The tap's settings, checked.
        own: What an entry of the setting `companies` says otherwise.
        budgets: What the companies of one client id share.

    Attributes:
        stopped_by: Why it is not read any further in this run.
        backfill_stopped_by: Why only what alerts wait for is read any further in this run.
        read_whole: Listings that were read as a whole in this run, by stream.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        own: Mapping[str, Any] | None = None,
        *,
        budgets: Budgets,
    ) -> None:
        config = {**config, **{name: value for name, value in (own or {}).items() if value}}
        self.tenant_id: str = setting(config, "tenant_id")
        self.name: str = config.get("name") or setting(config, "company") or self.tenant_id
        self.api_url = setting(config, "api_url").rstrip("/")
        start_date = setting(config, "start_date")
        self.start_date = None if start_date is None else start_of_day_or_time(start_date)
        user_agent = setting(config, "user_agent")
        user_agent = user_agent or f"tap-visma/{metadata.version('tap-visma')}"
        self.headers = {
            "Accept": "application/json",
            "User-Agent": user_agent,
        }
        if company_id := setting(config, "company_id"):
            self.headers["ipp-company-id"] = company_id
        self.auth = VismaConnect(
            url=setting(config, "auth_url").rstrip("/"),
            client_id=setting(config, "client_id"),
            client_secret=setting(config, "client_secret"),
            tenant_id=self.tenant_id,
            scope=setting(config, "scope"),
            user_agent=user_agent,
        )
        self.client_id: str = setting(config, "client_id")
        self.limits = budgets.of_company(self.client_id)
        self.lookback_seconds: int = setting(config, "lookback_seconds")
        self.timeout_seconds: int = setting(config, "request_timeout_seconds")
        in_flight: int = setting(config, "requests_in_flight")
        self.session = requests.Session()
        self.session.max_redirects = _REDIRECTS
        adapter = DeadlineAdapter(pool_maxsize=in_flight)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        self.client = Client(self)
        self.workers = Workers(in_flight, name=self.name)
        self.stopped_by: AccessError | LimitReachedError | None = None
        self.backfill_stopped_by: ShareUsedError | None = None
        self.read_whole: dict[str, list[Row]] = {}

    @property
    def context(self) -> dict[str, Any]:
        """What leads the key of each of its records, and names its partition in STATE."""
        return {"tenant_id": self.tenant_id, "company": self.name}

    def close(self) -> None:
        """Wait for nothing any more, and let go of the connection."""
        self.client.stop()
        self.auth.stop()
        self.limits.stop()
        self.session.close()
