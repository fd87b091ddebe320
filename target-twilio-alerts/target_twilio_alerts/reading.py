"""Reading the tap's lines in a way that a signal can end, without losing or leaking a line."""

from __future__ import annotations

import decimal
import os
import re
import select
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecReader

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

_BLOCK = 1 << 16


_PARTS: dict[str, dict[str, tuple[type | tuple[type, ...], str]]] = {
    "SCHEMA": {
        "stream": (str, "text"),
        "schema": (dict, "an object"),
        "key_properties": ((list, type(None)), "a list"),
    },
    "RECORD": {"stream": (str, "text"), "record": (dict, "an object")},
    "STATE": {"value": (dict, "an object")},
}

_HALF_A_PAIR = re.compile(
    rb"(\\\\)|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}",
)
"""An escaped backslash, a whole pair, or half of one: only the last is to be mended."""


def _mend(found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] or found[2] else b"\\ufffd"


_NUL = re.compile(rb"(\\\\)|\\u0000")
"""An escaped backslash, or a character that PostgreSQL's texts cannot hold and no SMS shows."""


def _mend_nul(found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] else b"\\ufffd"


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
        self.take: Callable[[bytes], bool] = lambda _line: False
        """Takes a line in as it is, if it can; others become messages."""

    def process_lines(
        self,
        file_input: Any,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        """Process all lines; gives how many there were of each type of message."""
        taken = 0

        def others() -> Iterator[Any]:
            nonlocal taken
            for given in file_input:
                line = given.encode() if isinstance(given, str) else given
                if b"\\u0000" in line:
                    line = _NUL.sub(_mend_nul, line)
                if self.take(line):
                    taken += 1
                    self._line += 1
                else:
                    yield line

        counted = super().process_lines(others(), callbacks)  # type: ignore[arg-type]
        counted["RECORD"] += taken
        return counted

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Decode one line.

        Raises:
            ProtocolError: It is not a JSON object.
        """
        self._line += 1
        try:
            message = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProtocolError(
                f"line {self._line} of the input is not JSON ({error}): the tap writes something "
                "else than Singer messages to its standard output",
            ) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise ProtocolError(f"line {self._line} of the input is not a Singer message")
        for name, (kind, described) in _PARTS.get(message["type"], {}).items():
            if name in message and not isinstance(message[name], kind):
                raise ProtocolError(
                    f"line {self._line} of the input: {name} of a {message['type']} message is not "
                    f"{described}",
                )
        return message

    def _decode(self, line: str | bytes) -> Any:
        try:
            return self._decoder.decode(line)
        except msgspec.DecodeError:
            # Half of a character pair, which one careless text may have, is no reason to stop.
            text = line.encode() if isinstance(line, str) else line
            mended = _HALF_A_PAIR.sub(_mend, text)
            if mended == text:
                raise
            return self._decoder.decode(mended)

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Refuse a message that lacks what its type needs, without showing the rest."""
        missing = sorted(requires - set(line_dict))
        if missing:
            kind = line_dict.get("type")
            of = f"a {kind} message" if kind in _PARTS else "the schema of a SCHEMA message"
            raise ProtocolError(f"{of} of the input lacks {', '.join(missing)}")

    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        kind = str(message_dict.get("type"))[:40]
        raise ProtocolError(f"line {self._line} of the input has the unknown message type {kind!r}")
