"""What Prometheus reads: requests heard, polls run, and messages by state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from target_twilio_alerts.ledger import LedgerError, outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from target_twilio_alerts.ledger import Ledger


class Metrics:
    """Counters of one server.

    Args:
        ledger: Whose messages are counted when somebody asks.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Messages(ledger))
        self.requests = Counter(
            "twilio_alerts_requests",
            "Requests by what they are about and what became of them.",
            ("about", "result"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "twilio_alerts_request_seconds",
            "How long a request took, with its commit.",
            ("about",),
            registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.polls = Counter(
            "twilio_alerts_early_polls",
            "Early polls by how they ended.",
            ("result",),
            registry=self._registry,
        )

    async def __call__(self, _request: Request) -> Response:
        """Tell them."""
        body = await run_in_threadpool(generate_latest, self._registry)
        return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Messages(Collector):
    """How many messages stand in each state, as the ledger has it at that moment."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def describe(self) -> list[GaugeMetricFamily]:
        """Say what is told, without asking the ledger."""
        return [self._family()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask the ledger."""
        family = self._family()
        try:
            with self._ledger.read() as connection:
                states = outbox.count_by_state(connection)
        except LedgerError:
            return  # the health tells of it
        for state, number in sorted(states.items()):
            family.add_metric([state], number)
        yield family

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "twilio_alerts_messages", "Messages in the ledger by state.", labels=["state"]
        )
