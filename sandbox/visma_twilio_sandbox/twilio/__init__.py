"""Twilio: messages, calls, Twilio Email, the Messaging Services' read side, status callbacks."""

from __future__ import annotations

from visma_twilio_sandbox.twilio.callbacks import CallbackFailure
from visma_twilio_sandbox.twilio.calls import Call
from visma_twilio_sandbox.twilio.errors import TwilioError, error_body
from visma_twilio_sandbox.twilio.service import Twilio
from visma_twilio_sandbox.twilio.store import Message

__all__ = ["Call", "CallbackFailure", "Message", "Twilio", "TwilioError", "error_body"]
