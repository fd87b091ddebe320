"""Singer target that turns finance records into alerts."""

from __future__ import annotations
