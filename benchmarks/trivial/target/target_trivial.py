"""A target that takes records and does nothing, with the SDK's defaults."""

from __future__ import annotations

from typing import Any, ClassVar

from singer_sdk import RecordSink, Target


class NothingSink(RecordSink):
    """Forgets each record."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Do nothing."""


class TargetTrivial(Target):
    """Forgets everything."""

    name = "target-trivial"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}
    default_sink_class = NothingSink
