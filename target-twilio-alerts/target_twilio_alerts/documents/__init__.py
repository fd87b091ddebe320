"""Records as documents: one vocabulary for every entity, whatever its API calls things. Pure."""

from __future__ import annotations

from target_twilio_alerts.documents.entity import Document, Entity
from target_twilio_alerts.documents.errors import UnreadableValue, UnusableRecord
from target_twilio_alerts.documents.fields import Combine, Field, Kind, Value
from target_twilio_alerts.documents.order import is_older
from target_twilio_alerts.documents.presets import ENTITIES, PRESETS
from target_twilio_alerts.documents.values import StoredValues, dump_values, load_values

__all__ = [
    "ENTITIES",
    "PRESETS",
    "Combine",
    "Document",
    "Entity",
    "Field",
    "Kind",
    "StoredValues",
    "UnreadableValue",
    "UnusableRecord",
    "Value",
    "dump_values",
    "is_older",
    "load_values",
]
