"""A faithful copy of the Visma.net ERP, Twilio and SendGrid APIs over real HTTP."""

from __future__ import annotations

from visma_twilio_sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
