# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Making the shards of a data set that are not there yet, on all cores or on a cluster."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
import math
from pathlib import Path
import pickle
from typing import ClassVar

from tqdm import tqdm

from ..data.rows import Rows
from ..data.shards import Shard, ShardSpec
from ..parallel import run_tasks
from ..splits import SPLITS


class ShardJob(ABC):
    """What all shards of a data set have in common; it travels to the workers by pickle.

    Attributes:
        rows: what the columns of a shard are.
        clips_per_shard: of every shard but the last.
    """

    rows: ClassVar[type[Rows]]
    clips_per_shard: ClassVar[int]

    @abstractmethod
    def maker(self, split: str) -> Callable[[ShardSpec], Shard]:
        """Return what makes the shards of a split; a worker keeps it from shard to shard."""

    def is_stored(self, spec: ShardSpec, out: Path) -> bool:
        """Return whether a shard is in the folder of the data set, with all that belongs to it."""
        return spec.is_stored(out, self.rows)


def missing_shards(job: ShardJob, out: Path, clips: Mapping[str, int]) -> list[ShardSpec]:
    """Return the shards that are not there as a whole.

    The val split comes first: training can begin as soon as some of the other is there.

    Args:
        job: says how large a shard is and when it is there.
        out: folder of the data set.
        clips: how many each split is to have.
    """
    missing = []
    for split in reversed(SPLITS):
        for number in range(math.ceil(clips[split] / job.clips_per_shard)):
            first = number * job.clips_per_shard
            last = min(first + job.clips_per_shard, clips[split])
            spec = ShardSpec(split, number, range(first, last))
            if not job.is_stored(spec, out):
                missing.append(spec)
    return missing


def make_shards(
    job: ShardJob,
    specs: Sequence[ShardSpec],
    out: Path,
    *,
    title: str,
    jobs: int,
    scheduler: str | None = None,
) -> int:
    """Make shards, write them as they come, and show how far it is.

    Args:
        job: makes them.
        specs: which.
        out: folder of the data set.
        title: of the progress, for people.
        jobs: processes on this machine.
        scheduler: address of a dask scheduler, to use its workers instead.

    Returns:
        How many recordings were left out; each is named once.

    Raises:
        DoaError: the sounds cannot be used, a worker died, or none is there.
        OSError: a file cannot be written.
    """
    for split in SPLITS:
        (out / split).mkdir(parents=True, exist_ok=True)
    tasks = [(job, spec) for spec in specs]
    unusable: dict[Path, str] = {}
    with tqdm(total=sum(len(s.clips) for s in specs), unit='clip', desc=title) as progress:
        for shard in run_tasks(_make_shard, tasks, jobs=jobs, scheduler=scheduler):
            shard.write(out)
            for path in shard.unusable.keys() - unusable.keys():
                tqdm.write(f'left out: {shard.unusable[path]}')
            unusable.update(shard.unusable)
            progress.update(len(shard.spec.clips))
    return len(unusable)


def _make_shard(job: ShardJob, spec: ShardSpec) -> Shard:
    return _maker(pickle.dumps(job), spec.split)(spec)


@lru_cache(maxsize=len(SPLITS))
def _maker(pickled: bytes, split: str) -> Callable[[ShardSpec], Shard]:
    """Return what a worker keeps between shards; a job has no hash, but its pickle has."""
    return pickle.loads(pickled).maker(split)
