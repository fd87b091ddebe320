"""Singer tap for the Visma.net ERP API."""

from __future__ import annotations
