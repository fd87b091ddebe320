"""Migrations of the ledger, run by Alembic."""

from __future__ import annotations
