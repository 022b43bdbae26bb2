# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the process that captures says arrives as it was said."""

import io

from hypothesis import given
from hypothesis import strategies as st

from doa_ros.audio.capture.device_selection import Wanted
from doa_ros.audio.capture.protocol import CapturedBlock, CaptureSettings, Kind, Note, read, write

_COUNTS = st.integers(0, 2**64 - 1)
_TIMES = st.floats(allow_nan=False)
_MESSAGES = st.one_of(
    st.builds(Note, st.sampled_from([k for k in Kind if k != Kind.BLOCK]), st.text()),
    st.builds(CapturedBlock, _COUNTS, _TIMES, _COUNTS, _COUNTS, _TIMES, st.binary()),
)


@given(st.lists(_MESSAGES, max_size=5))
def test_messages_arrive_as_they_were_written(messages):
    stream = io.BytesIO()
    for message in messages:
        write(stream, message)
    stream.seek(0)
    assert [read(stream) for _ in messages] == messages
    assert read(stream) is None


@given(_MESSAGES, st.data())
def test_what_was_cut_off_is_the_end(message, data):
    stream = io.BytesIO()
    write(stream, message)
    content = stream.getvalue()
    cut = data.draw(st.integers(0, len(content) - 1))
    assert read(io.BytesIO(content[:cut])) is None


def test_settings_survive_the_command_line():
    settings = CaptureSettings(Wanted('hw:CARD=SPK,DEV=0 "é"', 8, 'x', 2, 'é'), 48000, 2400)
    assert CaptureSettings.from_json(settings.to_json()) == settings
