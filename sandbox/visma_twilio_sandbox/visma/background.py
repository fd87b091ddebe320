"""The background API: a request is accepted at once, and its answer is fetched later."""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from visma_twilio_sandbox.visma.company import VismaCompany

HEADER = "erp-api-background"
PATH = "/v1/background/"


@dataclass
class _Job:
    """A request that was accepted."""

    company: VismaCompany
    uri: str
    webhook: str
    run: Callable[[], Response]
    received: datetime
    accepted: float
    polls: int
    is_doomed: bool
    finished: datetime | None = None
    response: Response | None = None

    @property
    def is_expired(self) -> bool:
        """Whether it was so long ago that its answer is gone."""
        return time.monotonic() - self.accepted >= self.company.background_seconds


class Background:
    """The requests that companies have in the background. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._jobs: dict[str, _Job] = {}

    def accept(
        self,
        company: VismaCompany,
        uri: str,
        webhook: str,
        run: Callable[[], Response],
    ) -> Response:
        """Take a request, to be run when it was asked for often enough.

        Args:
            company: Who asks.
            uri: What was asked, in full.
            webhook: Value of the header ``erp-api-background``.
            run: Gives the answer.
        """
        reference = str(uuid.uuid4())
        with self._lock:
            is_doomed = company.background_fails > 0
            if is_doomed:
                company.background_fails -= 1
            self._jobs[reference] = _Job(
                company=company,
                uri=uri,
                webhook=webhook,
                run=run,
                received=datetime.now(timezone.utc),
                accepted=time.monotonic(),
                polls=company.background_polls,
                is_doomed=is_doomed,
            )
        return _json({"id": reference, "stateLocation": _location(uri, reference)}, 202)

    def answer(self, company: VismaCompany, rest: str) -> Response | int:
        """Answer ``/v1/background/{rest}``, or tell the status of the error it is.

        Contract: the state is unknown (404) and the content is gone (410) a day after the request;
        both are another company's secret (403).
        """
        reference, _, what = rest.partition("/")
        with self._lock:
            job = self._jobs.get(reference)
            if job is None or what not in {"", "content"}:
                return 404
            if job.company is not company:
                return 403
            if job.is_expired:
                return 410 if what else 404
            return self._content(job) if what else self._state(reference, job)

    def _state(self, reference: str, job: _Job) -> Response:
        if job.finished is None and job.polls <= 0:
            job.response = None if job.is_doomed else job.run()
            job.finished = datetime.now(timezone.utc)
        job.polls -= 1
        done, response = job.finished is not None, job.response
        state: dict[str, Any] = {
            "id": reference,
            "status": ("Failed" if job.is_doomed else "Finished") if done else "Started",
            "statusCode": (response.status_code if response else 500) if done else 0,
            "receivedUtc": _utc(job.received),
            "startedUtc": _utc(job.received),
            "finishedUtc": _utc(job.finished),
            "webhookAddress": job.webhook,
            "errorMessage": "An error has occurred." if done and job.is_doomed else None,
            "reference": reference,
            "originalUri": job.uri,
            "hasResponseContent": bool(response and response.body),
            "hasRequestContent": False,
            "contentLocation": _location(job.uri, reference) + "/content",
            "responseHeaders": dict(response.headers) if response else {},
        }
        return _json({name: value for name, value in state.items() if value is not None}, 200)

    @staticmethod
    def _content(job: _Job) -> Response | int:
        response = job.response
        if response is None or not response.body:
            return 404
        kind = response.headers["content-type"]
        return Response(response.body, response.status_code, {"content-type": kind})


def _location(uri: str, reference: str) -> str:
    """Where the state of a request is told: on the host that was asked."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}{PATH}{reference}"


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
