from __future__ import annotations

import os
import threading
from decimal import Decimal

import pytest

from target_twilio_alerts.reading import AlertsReader, InterruptibleLines, ProtocolError


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        try:
            os.close(fd)
        except OSError:
            continue  # the test closed it to end the input


def test_lines_are_given_whole_however_they_arrive(pipe):
    read, write = pipe
    lines = iter(InterruptibleLines(read))
    os.write(write, b'{"a":')
    os.write(write, b'1}\n{"b"')
    assert next(lines) == b'{"a":1}'
    os.write(write, b":2}\n\n  \n")
    assert next(lines) == b'{"b":2}'
    os.write(write, b"last without an end")
    os.close(write)
    assert list(lines) == [b"last without an end"]


def test_stop_ends_a_reader_that_waits(pipe):
    read, _ = pipe
    lines = InterruptibleLines(read)
    got = []
    reader = threading.Thread(target=lambda: got.extend(lines))
    reader.start()
    lines.stop()
    reader.join(timeout=10)
    assert not reader.is_alive()
    assert got == []


def test_draining_reads_to_the_end_so_that_the_tap_can_finish(pipe):
    read, write = pipe
    lines = InterruptibleLines(read)

    def tap():
        # More than a pipe holds: without a reader this would block for ever.
        for _ in range(64):
            os.write(write, b"x" * 65536)
        os.close(write)

    writer = threading.Thread(target=tap)
    writer.start()
    lines.drain()
    writer.join(timeout=10)
    assert not writer.is_alive()


def test_numbers_are_exact():
    message = AlertsReader().deserialize_json(
        b'{"type": "STATE", "a": 0.1, "b": 12345678901234567.89, "c": 1234.7700}'
    )
    assert message == {
        "type": "STATE",
        "a": Decimal("0.1"),
        "b": Decimal("12345678901234567.89"),
        "c": Decimal("1234.77"),
    }
    assert str(message["c"]) == "1234.7700"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"secret +46701740605", "line 1 of the input is not JSON"),
        (b"[1]", "line 1 of the input is not a Singer message"),
        (b'{"type": "RECORD", "secret": \xff}', "line 1 of the input is not JSON"),
    ],
)
def test_a_broken_line_is_told_by_its_number_and_never_shown(line, said):
    with pytest.raises(ProtocolError, match=said) as caught:
        AlertsReader().deserialize_json(line)
    assert "secret" not in str(caught.value)


def test_an_unknown_message_type_is_named():
    reader = AlertsReader()
    with pytest.raises(ProtocolError, match="unknown message type 'ODD'"):
        reader.process_lines([b'{"type": "ODD"}'], {})


def test_a_message_that_lacks_a_part_says_which():
    with pytest.raises(ProtocolError, match="a STATE message of the input lacks value"):
        AlertsReader.assert_line_requires({"type": "STATE"}, {"value"})
