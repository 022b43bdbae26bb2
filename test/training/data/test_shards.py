# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from training.data.rows import Rows
from training.data.shards import Shard, ShardSpec, packed


@dataclass(frozen=True)
class Numbered(Rows):
    clip: np.ndarray


@dataclass(frozen=True)
class Felt(Numbered):
    """Rows with another column."""

    felt: np.ndarray


@pytest.fixture
def shard() -> Shard:
    return Shard(ShardSpec('val', 1, range(3, 5)), packed({'clip': np.array([3, 3, 4])}))


def test_a_shard_is_stored_once_it_is_whole(shard, tmp_path):
    (tmp_path / 'val').mkdir()
    assert not shard.spec.is_stored(tmp_path, Numbered)
    shard.write(tmp_path)
    assert shard.spec.is_stored(tmp_path, Numbered)
    # Of more clips it is not all.
    assert not ShardSpec('val', 1, range(3, 6)).is_stored(tmp_path, Numbered)
    (path,) = (tmp_path / 'val').iterdir()
    assert len(Numbered.load(path, 'simulate')) == 3
    path.write_bytes(shard.content[:-50])
    assert not shard.spec.is_stored(tmp_path, Numbered)


def test_a_shard_without_a_column_is_made_anew(shard, tmp_path):
    (tmp_path / 'val').mkdir()
    shard.write(tmp_path)
    assert not shard.spec.is_stored(tmp_path, Felt)
    with pytest.raises(ConfigError, match='has no felt; run simulate again, which makes it anew'):
        Felt.load(shard.spec.path(tmp_path), 'simulate')


def test_a_clip_draws_the_same_in_every_shard(shard):
    def drawn(spec):
        return {number: rng.random() for number, rng in spec.generators(7)}

    first, other = drawn(shard.spec), drawn(ShardSpec('val', 0, range(4, 6)))
    assert first.keys() == {3, 4} and first[4] == other[4] != first[3]
    assert drawn(ShardSpec('train', 0, range(3, 5)))[3] != first[3]
