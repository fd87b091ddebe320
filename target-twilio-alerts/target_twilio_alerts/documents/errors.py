"""What may be wrong with a record: outcomes to write down, not errors of a run."""

from __future__ import annotations


class UnreadableValue(Exception):  # noqa: N818 - an outcome to record, not an error of the run
    """A value that does not fit its field's kind; the text says how, without the value."""


class UnusableRecord(Exception):  # noqa: N818 - an outcome to record, not an error of the run
    """A record that cannot be told which document it is, or which version of it."""
