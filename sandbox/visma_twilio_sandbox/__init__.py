"""A faithful copy of the Visma.net ERP, Twilio and SendGrid APIs over real HTTP."""

from __future__ import annotations
