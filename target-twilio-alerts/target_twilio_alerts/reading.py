"""Reading the tap's lines in a way that a signal can end, without losing or leaking a line."""

from __future__ import annotations

import decimal
import os
import select
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecReader

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 16


class ProtocolError(Exception):
    """The input is no Singer stream; the text says which line and why, and shows no content."""


class InterruptibleLines:
    """The lines of a file descriptor, until its end or until ``stop`` is called.

    ``stop`` may be called from a signal handler: it only writes a byte to a pipe that wakes the
    reader. A line whose end never came is not given out.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self.stopped = False

    def stop(self) -> None:
        """End the iteration at the next line."""
        self.stopped = True
        os.write(self._wake_write, b"\0")

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        while not self.stopped:
            ready, _, _ = select.select([self._fd, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            block = os.read(self._fd, _BLOCK)
            if not block:
                if rest:
                    yield rest
                return
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                if self.stopped:  # meanwhile, by a signal
                    return  # type: ignore[unreachable]
                if line.strip():
                    yield line

    def drain(self) -> None:
        """Read and forget the rest, so that the tap can end in peace."""
        while not self.stopped:
            ready, _, _ = select.select([self._fd, self._wake_read], [], [])
            if self._wake_read in ready or not os.read(self._fd, _BLOCK):
                return


class AlertsReader(MsgSpecReader):
    """Singer messages with exact numbers; a broken line is told by its number, never shown.

    Numbers with a fraction or an exponent become ``Decimal``, as written.
    """

    def __init__(self) -> None:
        super().__init__()
        self._line = 0
        self._decoder = msgspec.json.Decoder(float_hook=decimal.Decimal)

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Decode one line.

        Raises:
            ProtocolError: It is not a JSON object.
        """
        self._line += 1
        try:
            message = self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProtocolError(
                f"line {self._line} of the input is not JSON ({error}): the tap writes something "
                "else than Singer messages to its standard output",
            ) from None
        if not isinstance(message, dict):
            raise ProtocolError(f"line {self._line} of the input is not a Singer message")
        return message

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Refuse a message that lacks what its type needs, without showing the rest."""
        missing = sorted(requires - set(line_dict))
        if missing:
            kind = line_dict.get("type")
            raise ProtocolError(f"a {kind} message of the input lacks {', '.join(missing)}")

    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        kind = str(message_dict.get("type"))[:40]
        raise ProtocolError(f"line {self._line} of the input has the unknown message type {kind!r}")
