"""A company in Visma.net ERP: its documents, and the list endpoints that serve them."""

from __future__ import annotations

from visma_twilio_sandbox.visma.companies import Companies
from visma_twilio_sandbox.visma.company import VismaCompany
from visma_twilio_sandbox.visma.endpoints import ENDPOINTS, Endpoint

__all__ = ["ENDPOINTS", "Companies", "Endpoint", "VismaCompany"]
