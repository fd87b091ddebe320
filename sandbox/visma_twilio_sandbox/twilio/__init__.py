"""Twilio: the Messages API, the Messaging Services' read side, and signed status callbacks."""

from __future__ import annotations

from visma_twilio_sandbox.twilio.callbacks import CallbackFailure
from visma_twilio_sandbox.twilio.errors import TwilioError, error_body
from visma_twilio_sandbox.twilio.service import Twilio
from visma_twilio_sandbox.twilio.store import Message

__all__ = ["CallbackFailure", "Message", "Twilio", "TwilioError", "error_body"]
