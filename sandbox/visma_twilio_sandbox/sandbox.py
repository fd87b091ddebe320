"""Everything at once: Visma Connect, Visma.net, Twilio and SendGrid, each on its own port."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from visma_twilio_sandbox import connect, credentials, sendgrid, twilio
from visma_twilio_sandbox.connect import TOKEN_PATH, Connect
from visma_twilio_sandbox.control import app as control_app
from visma_twilio_sandbox.faults import Faults
from visma_twilio_sandbox.recording import RequestLog
from visma_twilio_sandbox.sendgrid import SendGrid
from visma_twilio_sandbox.serving import ServiceServer
from visma_twilio_sandbox.twilio import Twilio
from visma_twilio_sandbox.visma import Companies
from visma_twilio_sandbox.visma.app import VismaApi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from visma_twilio_sandbox.faults import Fault
    from visma_twilio_sandbox.recording import App, RecordedRequest


class Sandbox:
    """A context manager: everything serves inside the ``with`` block.

    Args:
        seed: Decides every behaviour that the providers leave open.
        zone: Name of the zone of Visma's stamps, instead of one drawn from the seed; or one for
            each company.
        companies: How many companies there are, or their names.

    Attributes:
        companies: All companies, by number from 0 or by tenant id.
        visma: The first of them, that of `credentials.TENANT_ID`.
        connect: The token endpoint.
        twilio: The Twilio account.
        sendgrid: The SendGrid account.
        faults: Where to ask for errors, delays and cut connections.
        page_names: Names the control page shows beside telephone numbers and email addresses.
    """

    def __init__(
        self,
        seed: int = 0,
        zone: str | Sequence[str] | None = None,
        *,
        companies: int | Sequence[str] = 2,
    ) -> None:
        self.faults = Faults()
        self.page_names: dict[str, str] = {}
        self.companies = Companies.of(companies, seed, zone)
        self.visma = self.companies[0]
        self.connect = Connect(company.tenant_id for company in self.companies)
        self.twilio = Twilio(seed)
        self.sendgrid = SendGrid()
        self._log = RequestLog()
        api = VismaApi(self.connect, self.companies)
        self._servers = {
            server.name: server
            for server in (
                ServiceServer(
                    "connect",
                    self.connect.app,
                    faults=self.faults,
                    log=self._log,
                    error_body=connect.error_body,
                    tenant_of=self.connect.tenant_of,
                ),
                ServiceServer(
                    "visma",
                    api,
                    faults=self.faults,
                    log=self._log,
                    error_body=api.error_body,
                    headers_of=api.headers_of,
                    tenant_of=self.connect.tenant_of,
                ),
                self._serve("twilio", self.twilio.app, twilio.error_body),
                self._serve("messaging", self.twilio.messaging_app, twilio.error_body),
                self._serve("comms", self.twilio.comms_app, twilio.error_body),
                self._serve("sendgrid", self.sendgrid.app, sendgrid.error_body),
                self._serve("control", control_app(self), twilio.error_body),
            )
        }
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start every service; returns when all of them answer."""
        with ExitStack() as starting:
            self.twilio.start()
            starting.callback(self.twilio.stop)
            for server in self._servers.values():
                server.start()
                starting.callback(server.stop)
            starting.callback(self._ask_all_to_stop)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop every service and close every connection."""
        self._running.close()

    @property
    def connect_url(self) -> str:
        """The token endpoint, in full."""
        return self._servers["connect"].url + TOKEN_PATH

    @property
    def visma_url(self) -> str:
        """Instead of ``https://api.finance.visma.net``."""
        return self._servers["visma"].url

    @property
    def twilio_url(self) -> str:
        """Instead of ``https://api.twilio.com``."""
        return self._servers["twilio"].url

    @property
    def messaging_url(self) -> str:
        """Instead of ``https://messaging.twilio.com``."""
        return self._servers["messaging"].url

    @property
    def comms_url(self) -> str:
        """Instead of ``https://comms.twilio.com``."""
        return self._servers["comms"].url

    @property
    def sendgrid_url(self) -> str:
        """Instead of ``https://api.sendgrid.com``."""
        return self._servers["sendgrid"].url

    @property
    def control_url(self) -> str:
        """The page with the telephones and inboxes."""
        return self._servers["control"].url

    def settings(self) -> dict[str, str]:
        """Environment variables that point tap-visma, for one company, and the target here."""
        tap, target = "TAP_VISMA", "TARGET_TWILIO_ALERTS"
        return {
            f"{tap}_CLIENT_ID": credentials.CLIENT_ID,
            f"{tap}_CLIENT_SECRET": credentials.CLIENT_SECRET,
            f"{tap}_TENANT_ID": credentials.TENANT_ID,
            f"{tap}_COMPANY": self.visma.name,
            f"{tap}_API_URL": self.visma_url,
            f"{tap}_AUTH_URL": self.connect_url,
            f"{target}_ACCOUNT_SID": credentials.ACCOUNT_SID,
            f"{target}_AUTH_TOKEN": credentials.AUTH_TOKEN,
            f"{target}_FROM_NUMBER": credentials.FROM_NUMBER,
            f"{target}_VOICE_FROM": credentials.FROM_NUMBER,
            f"{target}_WHATSAPP_FROM": credentials.WHATSAPP_NUMBER,
            f"{target}_SENDGRID_API_KEY": credentials.SENDGRID_API_KEY,
            f"{target}_EMAIL_FROM": "alerts@example.com",
            f"{target}_TWILIO_API_URL": self.twilio_url,
            f"{target}_TWILIO_MESSAGING_URL": self.messaging_url,
            f"{target}_TWILIO_EMAIL_API_URL": self.comms_url,
            f"{target}_SENDGRID_API_URL": self.sendgrid_url,
        }

    def companies_setting(self) -> list[dict[str, str]]:
        """The setting ``companies`` of tap-visma, for all companies."""
        return [{"name": one.name, "tenant_id": one.tenant_id} for one in self.companies]

    def requests(self, service: str) -> list[RecordedRequest]:
        """What a service was asked, oldest first.

        Args:
            service: connect, visma, twilio, messaging, comms, sendgrid or control.

        Raises:
            LookupError: There is no such service.
        """
        if service not in self._servers:
            raise LookupError(f"{service} is none of {', '.join(self._servers)}")
        return self._log.of(service)

    def _serve(
        self, name: str, app: App, error_body: Callable[[Fault], tuple[bytes, str]]
    ) -> ServiceServer:
        return ServiceServer(name, app, faults=self.faults, log=self._log, error_body=error_body)

    def _ask_all_to_stop(self) -> None:
        for server in self._servers.values():
            server.ask_to_stop()
