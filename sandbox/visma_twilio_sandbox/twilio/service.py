"""The Twilio account as a whole: what a demo or a test holds in its hand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from visma_twilio_sandbox.twilio.app import api_app
from visma_twilio_sandbox.twilio.callbacks import Callbacks
from visma_twilio_sandbox.twilio.calls import Calls
from visma_twilio_sandbox.twilio.comms import Comms
from visma_twilio_sandbox.twilio.messaging import messaging_app
from visma_twilio_sandbox.twilio.numbers import CALL_REFUSALS, REFUSALS
from visma_twilio_sandbox.twilio.store import Store

if TYPE_CHECKING:
    from visma_twilio_sandbox.mail_send import Email
    from visma_twilio_sandbox.recording import App
    from visma_twilio_sandbox.twilio.callbacks import CallbackFailure
    from visma_twilio_sandbox.twilio.calls import Call
    from visma_twilio_sandbox.twilio.errors import TwilioError
    from visma_twilio_sandbox.twilio.numbers import Outcome
    from visma_twilio_sandbox.twilio.store import Message


class Twilio:
    """One Twilio account with one number and one Messaging Service.

    A message takes one step (queued, sending, sent, delivered) each time it is read, a call too
    (queued, ringing, in-progress, completed); `settle` takes all the steps that are left.

    Args:
        seed: Decides SIDs and the disorder of the callbacks.

    Attributes:
        app: ASGI application of api.twilio.com.
        messaging_app: ASGI application of messaging.twilio.com.
        comms_app: ASGI application of comms.twilio.com.
        refuses: Recipients that are refused, with which error code; may be changed.
        refuses_calls: Numbers that are not called, with which error code; may be changed.
        whatsapp_windows: Numbers that have written over WhatsApp within the last 24 hours, so that
            free text reaches them; may be changed.
        refused: The creates that were refused, oldest first.
    """

    def __init__(self, seed: int = 0) -> None:
        self._callbacks = Callbacks(seed)
        self.store = Store(seed, self._callbacks.tell)
        self.call_store = Calls(self._callbacks.tell)
        self.refuses: dict[str, int] = dict(REFUSALS)
        self.refuses_calls: dict[str, int] = dict(CALL_REFUSALS)
        self.whatsapp_windows: set[str] = set()
        self.refused: list[TwilioError] = []
        self._settling = threading.Lock()
        self.app: App = api_app(self)
        self.messaging_app: App = messaging_app()
        self._comms = Comms()
        self.comms_app: App = self._comms.app

    @property
    def messages(self) -> list[Message]:
        """The accepted messages as they are now, oldest first."""
        return self.store.all()

    @property
    def calls(self) -> list[Call]:
        """The accepted calls as they are now, oldest first."""
        return self.call_store.all()

    @property
    def emails(self) -> list[Email]:
        """The emails it has taken, oldest first, one for each recipient."""
        return self._comms.emails

    @property
    def call_outcomes(self) -> dict[str, str]:
        """Last status of calls to a number; may be changed. Others are `completed`."""
        return self.call_store.outcomes

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Last status and error code of messages to a number; may be changed.

        A number that is not in it gets what it is sent: `("delivered", None)`.
        """
        return self.store.outcomes

    @property
    def callback_failures(self) -> list[CallbackFailure]:
        """Callbacks that nobody took, oldest first."""
        return self._callbacks.failures

    def settle(self) -> None:
        """Bring every message and call to its last status; returns when every callback was sent.

        A scheduled message stays scheduled.
        """
        with self._settling:
            self._callbacks.hold()
            try:
                for message in self.messages:
                    while self.store.advance(message.sid):
                        pass
                for call in self.calls:
                    while self.call_store.advance(call.sid):
                        pass
            finally:
                self._callbacks.release()

    def start(self) -> None:
        """Do nothing: the callbacks' thread starts with the first callback."""

    def stop(self) -> None:
        """End the callbacks' thread."""
        self._callbacks.stop()
