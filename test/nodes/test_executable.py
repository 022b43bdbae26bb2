# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every executable does before its nodes start, and where they do not."""

import ctypes
from itertools import pairwise
import threading

import pytest
from rclpy.exceptions import InvalidHandle

from doa_ros.core.errors import ConfigError
from doa_ros.nodes.chain import ChainNode
from doa_ros.nodes.executable import run

# The address space that glibc sets aside for an arena, and what it is aligned to.
_ARENA = 64 << 20


def _arenas(process):
    """Return how many arenas a process has besides its heap, by its lines of proc(5) maps."""
    mappings = [
        ([int(end, 16) for end in fields[0].split('-')], fields[1])
        for fields in map(str.split, process.maps())
        if len(fields) == 5
    ]
    # What is in use, and what may be later.
    return sum(
        begin % _ARENA == 0 and (rest, end) == (used, begin + _ARENA) and access == '---p'
        for ((begin, used), _), ((rest, end), access) in pairwise(mappings)
    )


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), 'mallopt'), reason='needs glibc')
def test_all_threads_allocate_from_one_arena(start, recording):
    process = start('doa_pipeline', source='file', file=str(recording), loop=True)
    # With the source's thread, those of DDS and of the runtime.
    process.wait_for('the sound comes from')
    assert _arenas(process) == 0


def test_nothing_is_left_of_nodes_that_do_not_start(monkeypatch, namespace):
    monkeypatch.setattr('sys.argv', ['test', '--ros-args', '-r', f'__ns:={namespace}'])
    made = []

    def make_nodes(publishing):
        made.append(ChainNode('first', publishing))
        raise ConfigError('the second is not usable')

    before = threading.active_count()
    assert run('test', make_nodes) == 1
    assert threading.active_count() == before
    with pytest.raises(InvalidHandle), made[0].handle:
        pass
