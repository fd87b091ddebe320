"""The sink of every stream: checks a record against its schema and hands it to the intake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from singer_sdk.sinks import RecordSink
from singer_sdk.sinks.core import BaseJSONSchemaValidator

from target_twilio_alerts.documents.typed import DELETED_AT
from target_twilio_alerts.reading import ProtocolError

if TYPE_CHECKING:
    from target_twilio_alerts.target import TargetTwilioAlerts


class SchemaCheck(BaseJSONSchemaValidator):
    """A fast validator that remembers what is wrong instead of raising.

    A broken record is a recorded outcome, not the end of a run. The problem names the place and
    the schema's demand, never the value, which may be personal.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        try:
            self._validator = jsonschema_rs.validator_for(self.schema)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(
                f"the schema of a stream cannot be used ({type(error).__name__}): mend the tap, or "
                "leave the stream out",
            ) from None
        self.problem: str | None = None

    def validate(self, record: dict[str, Any]) -> None:
        """Check one record; its problem, if any, is in ``problem`` until the next one."""
        self.problem = None
        if self._validator.is_valid(record):
            return
        error = next(iter(self._validator.iter_errors(record)))
        place = "/".join(str(part) for part in error.instance_path) or "the record"
        demand = re.sub(r"[^A-Za-z]+", " ", type(error.kind).__name__.split("_", 1)[-1]).strip()
        self.problem = f"{place} breaks its schema ({demand.lower()})"


class AlertSink(RecordSink):
    """Takes the records of one stream."""

    def __init__(
        self,
        target: TargetTwilioAlerts,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._intake = target.session.intake
        # The SDK's own validator takes most of a target's time, and raises.
        self._check = SchemaCheck(self.schema)
        is_as_it_came = not (
            self.include_sdc_metadata_properties or target.config.get("stream_maps")
        )
        self._typed = (
            self._intake.typed(stream_name, self.schema, self.key_properties)
            if is_as_it_came
            else None
        )

    def get_validator(self) -> None:
        """Give the SDK none to run: `_check` is ours."""

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        # The SDK would turn date-times into datetime objects; a document wants the text as it came.
        self._check.validate(record)
        return record

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """A record without its key is a recorded outcome of the intake, not an exception."""

    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        # The SDK takes out what tells that a document is gone, too.
        gone = record.get(DELETED_AT)
        super()._remove_sdc_metadata_from_record(record)
        if gone is not None:
            record[DELETED_AT] = gone

    def take(self, line: bytes) -> bool:
        """Take the record of a line in, the faster way; False if that cannot be done."""
        if self._typed is None or not self._intake.add_line(self._typed, line):
            return False
        self.tally_record_read()
        self.record_counter_metric.increment()
        self.tally_record_written()
        return True

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Hand one record to the intake."""
        self._intake.add(
            self.stream_name,
            record,
            self._key_properties,
            problem=self._check.problem,
        )
