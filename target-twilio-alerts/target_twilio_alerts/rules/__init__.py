"""Rules: what the alerts file says, and what each rule decides of a document. Pure."""

from __future__ import annotations
