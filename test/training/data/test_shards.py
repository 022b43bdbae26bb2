# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from training.data.shards import Shard, ShardSpec, packed


@pytest.fixture
def shard() -> Shard:
    return Shard(ShardSpec('val', 1, range(3, 5)), packed({'clip': np.array([3, 3, 4])}))


def test_a_shard_is_stored_once_it_is_whole(shard, tmp_path):
    (tmp_path / 'val').mkdir()
    assert not shard.spec.is_stored(tmp_path)
    shard.write(tmp_path)
    assert shard.spec.is_stored(tmp_path)
    # Of more clips it is not all.
    assert not ShardSpec('val', 1, range(3, 6)).is_stored(tmp_path)
    (path,) = (tmp_path / 'val').iterdir()
    path.write_bytes(shard.content[:-50])
    assert not shard.spec.is_stored(tmp_path)


def test_a_clip_draws_the_same_in_every_shard(shard):
    def drawn(spec):
        return {number: rng.random() for number, rng in spec.generators(7)}

    first, other = drawn(shard.spec), drawn(ShardSpec('val', 0, range(4, 6)))
    assert first.keys() == {3, 4} and first[4] == other[4] != first[3]
    assert drawn(ShardSpec('train', 0, range(3, 5)))[3] != first[3]
