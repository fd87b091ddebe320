"""``twilio-alerts serve``: what providers tell by themselves. Needs the extra `server`."""

from __future__ import annotations
