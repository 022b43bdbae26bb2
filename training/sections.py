# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sections of the training settings: what each verb can be told, with bounds and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any, Self

from doa_ros.core.config import Config, setting
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.output_heads import OUTPUT_HEADS, head_shapes

_DIRECTION = {'azimuth', 'elevation'}


@dataclass(frozen=True)
class SimulateConfig(Config):
    """What `simulate` draws scenes from."""

    seed: int = setting(1, 'Seed of all randomness.', minimum=0)
    engine: str = setting(
        'fast',
        'pyroomacoustics: the image method in full; fast: image sources, then a diffuse tail.',
        choices=('fast', 'pyroomacoustics'),
    )
    sampling_frequency: int = setting(
        16000,
        'Rate of the simulated audio [Hz]; the features depend on the band alone.',
        minimum=8000,
        maximum=384000,
    )
    train_clips: int = setting(5000, 'Clips of the train split.', minimum=1)
    val_clips: int = setting(400, 'Clips of the val split.', minimum=1)
    length: float = setting(4.5, 'Length of a clip [s].', minimum=0.5, maximum=60.0)
    lead: float = setting(1.5, 'Noise before the first sound [s].', minimum=0.0, maximum=30.0)
    tail: float = setting(0.0, 'Noise after the last sound [s].', minimum=0.0, maximum=30.0)
    every: int = setting(4, 'One of so many analysis windows is kept.', minimum=1)
    rt60_min: float = setting(0.1, 'Reverberation time, lowest [s].', minimum=0.0, maximum=2.0)
    rt60_max: float = setting(1.0, 'Reverberation time, highest [s].', minimum=0.0, maximum=2.0)
    snr_min: float = setting(-5.0, 'SNR, lowest [dB].', minimum=-20.0, maximum=60.0)
    snr_max: float = setting(30.0, 'SNR, highest [dB].', minimum=-20.0, maximum=60.0)
    distance_min: float = setting(0.3, 'Source distance, lowest [m].', minimum=0.1, maximum=10.0)
    distance_max: float = setting(5.0, 'Source distance, highest [m].', minimum=0.1, maximum=10.0)
    elevation_max_deg: float = setting(
        90.0,
        'Highest elevation of a source [deg]; they lie as far below where the array tells it.',
        minimum=0.0,
        maximum=90.0,
    )
    sources_max: int = setting(1, 'Most sources at a time.', minimum=1, maximum=3)
    separation_deg: float = setting(
        25.0, 'Least angle between two sources [deg].', minimum=0.0, maximum=90.0
    )
    noise_only: float = setting(
        0.1, 'Share of the clips without any source.', minimum=0.0, maximum=1.0
    )
    short_sounds: float = setting(
        0.15, 'Share of the sources that are bursts or impulses.', minimum=0.0, maximum=1.0
    )
    directional_noise: float = setting(
        0.3,
        'Share of the clips with noise from one direction, weaker than the diffuse noise.',
        minimum=0.0,
        maximum=1.0,
    )
    loud_noise: float = setting(
        0.0,
        'Share of the clips with noises from directions of their own, at levels of their own.',
        minimum=0.0,
        maximum=1.0,
    )
    loud_noises_max: int = setting(3, 'Most of these noises at a time.', minimum=1, maximum=3)
    loud_noise_min: float = setting(
        -10.0, 'Their power together over the sources, lowest [dB].', minimum=-40.0, maximum=40.0
    )
    loud_noise_max: float = setting(
        20.0, 'Their power together over the sources, highest [dB].', minimum=-40.0, maximum=40.0
    )
    loud_noise_changes: float = setting(
        0.3, 'Share of them that begin or end within the clip.', minimum=0.0, maximum=1.0
    )
    uneven_walls: float = setting(
        0.0,
        'Share of the clips in rooms with walls of materials, from which the RT60 follows.',
        minimum=0.0,
        maximum=1.0,
    )
    beside_walls: float = setting(
        0.0,
        'Share of the clips in which the array is 0.1 to 1 m from a wall, or from two.',
        minimum=0.0,
        maximum=1.0,
    )
    furniture: float = setting(
        0.0,
        'Share of the clips with upright surfaces around the array that reflect.',
        minimum=0.0,
        maximum=1.0,
    )
    turned_away: float = setting(
        0.0,
        'Share of the talkers who are turned away: their direct sound is 3 to 12 dB weaker.',
        minimum=0.0,
        maximum=1.0,
    )
    gusty_noise: float = setting(
        0.0, 'Share of the clips whose noise swells and ebbs.', minimum=0.0, maximum=1.0
    )
    ego_noise: float = setting(
        0.2, 'Share of the clips with a fan or motor at the array.', minimum=0.0, maximum=1.0
    )
    gain_db: float = setting(
        1.0, "Standard deviation of the microphones' gains [dB].", minimum=0.0, maximum=20.0
    )
    phase_deg: float = setting(
        1.0, "Standard deviation of the microphones' phases [deg].", minimum=0.0, maximum=90.0
    )
    position: float = setting(
        0.0005, 'Standard deviation of their places, per axis [m].', minimum=0.0, maximum=0.05
    )
    size: float = setting(
        0.0,
        'Standard deviation of the size of an array over that in its description.',
        minimum=0.0,
        maximum=0.1,
    )
    enclosure: float = setting(
        0.0, "Strength of a housing's echoes and shadows.", minimum=0.0, maximum=1.0
    )
    one_board: bool = setting(
        False, 'Whether all clips are heard by one specimen of the array, drawn by the seed.'
    )

    def __post_init__(self):
        super().__post_init__()
        for name in ('rt60', 'snr', 'distance', 'loud_noise'):
            low, high = getattr(self, f'{name}_min'), getattr(self, f'{name}_max')
            if low > high:
                raise ConfigError(f'{name}_min ({low:g}) must not exceed {name}_max ({high:g})')
        if self.lead + self.tail >= self.length:
            raise ConfigError(
                f'lead ({self.lead:g} s) and tail ({self.tail:g} s) must be shorter than length '
                f'({self.length:g} s): nothing would be heard'
            )


@dataclass(frozen=True)
class TrainConfig(Config):
    """How `train` fits a network."""

    RENAMED = {'multilabel': 'multi_source', 'activity': 'outputs'}

    seed: int = setting(1, 'Seed of all randomness.', minimum=0)
    architecture: str = setting(
        'reference',
        'Name of the network; or a file that describes it, relative to the settings file.',
    )
    multi_source: bool = setting(
        False, 'Whether each azimuth class has its own probability, for several sources at once.'
    )
    outputs: tuple[str, ...] = setting(
        ('azimuth', 'elevation'),
        'Outputs of the network; activity is the probability of any source.',
    )
    azimuth_classes: int = setting(36, 'Azimuth classes.', minimum=4, maximum=360)
    elevation_classes: int = setting(10, 'Elevation classes.', minimum=3, maximum=91)
    elevation_min_deg: float = setting(
        0.0,
        'The lowest of them [deg]: -90 for an array that is not flat and horizontal.',
        minimum=-90.0,
        maximum=0.0,
    )
    kappa: float = setting(
        40.0,
        'Concentration of the von Mises soft targets; 0 for the nearest class alone.',
        minimum=0.0,
        maximum=1000.0,
    )
    symmetries: bool = setting(True, "Whether examples are turned by the array's symmetries.")
    dropout: float = setting(0.1, 'Dropout rate.', minimum=0.0, maximum=0.9)
    dead_microphones: float = setting(
        0.0,
        'Share of the examples in which one or two microphones are dead.',
        minimum=0.0,
        maximum=1.0,
    )
    epochs: int = setting(40, 'Most passes over the data.', minimum=1)
    patience: int = setting(8, 'Epochs without improvement before stopping.', minimum=1)
    batch: int = setting(256, 'Examples per step.', minimum=1)
    learning_rate: float = setting(
        1e-3, 'Of Adam at the start; it falls to 0.', minimum=1e-6, maximum=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        names = set(self.outputs)
        if len(names) < len(self.outputs) or not _DIRECTION <= names <= set(OUTPUT_HEADS):
            others = ', '.join(name for name in OUTPUT_HEADS if name not in _DIRECTION)
            raise ConfigError(
                f'outputs must name azimuth and elevation, and may name {others}, once each'
            )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], where: str) -> Self:
        """Build from a parsed YAML mapping.

        Raises:
            ConfigError: an unknown key or a value out of bounds; the message starts with `where`.
        """
        if isinstance(mapping, Mapping) and isinstance(mapping.get('outputs'), list):
            mapping = {**mapping, 'outputs': tuple(map(str, mapping['outputs']))}
        return super().from_mapping(mapping, where)

    def to_mapping(self) -> dict[str, Any]:
        """Return the settings as a plain dictionary."""
        return {**super().to_mapping(), 'outputs': list(self.outputs)}

    @property
    def grid(self) -> DirectionGrid:
        """The directions that the classes stand for."""
        return DirectionGrid(
            self.azimuth_classes, self.elevation_classes, math.radians(self.elevation_min_deg)
        )

    @property
    def heads(self) -> dict[str, tuple[int, ...]]:
        """The outputs of the network, in their order, and the shape of each."""
        return head_shapes(self.outputs, self.grid, multi_source=self.multi_source)


@dataclass(frozen=True)
class FinetuneConfig(Config):
    """How `finetune` adapts a network to recordings."""

    mode: str = setting(
        'full',
        'head: the output layers alone learn; full: the whole network does.',
        choices=('head', 'full'),
    )
    epochs: int = setting(20, 'Rounds of training.', minimum=1)
    steps: int = setting(100, 'Batches of a round.', minimum=1)
    batch: int = setting(128, 'Examples per step.', minimum=2)
    learning_rate: float = setting(3e-4, 'Of Adam.', minimum=1e-7, maximum=1.0)
    replay: float = setting(
        0.5, 'Share of simulated examples in a batch.', minimum=0.05, maximum=0.95
    )
    max_loss: float = setting(
        0.01,
        'How much of the share within 10 degrees may be lost on the simulated val split.',
        minimum=0.0,
        maximum=1.0,
    )
    held_out: float = setting(
        0.25, 'Share of the recordings that judges the result.', minimum=0.05, maximum=0.75
    )
    symmetries: bool = setting(
        False, "Whether recorded examples are turned, too; a board's flaws have no symmetry."
    )


@dataclass(frozen=True)
class QuantizeConfig(Config):
    """How `quantize --kind qat` trains a network to be rounded."""

    epochs: int = setting(2, 'Passes over the data.', minimum=1)
    learning_rate: float = setting(1e-4, 'Of Adam.', minimum=1e-7, maximum=1.0)


@dataclass(frozen=True)
class TrainFilterConfig(Config):
    """How `train_filter` makes the recurrent filter of a model of several sources."""

    seed: int = setting(1, 'Seed of all randomness.', minimum=0)
    train_clips: int = setting(9000, 'Clips of the train split.', minimum=1)
    val_clips: int = setting(400, 'Clips of the val split.', minimum=1)
    length: float = setting(12.0, 'Length of a clip [s].', minimum=3.0, maximum=60.0)
    walking: float = setting(0.6, 'Share of the talkers that walk.', minimum=0.0, maximum=1.0)
    dead_microphones: float = setting(
        0.1,
        'Share of the clips in which one or two microphones are dead.',
        minimum=0.0,
        maximum=1.0,
    )
    states: int = setting(
        64, 'States of the recurrent unit at each azimuth class.', minimum=1, maximum=512
    )
    epochs: int = setting(36, 'Passes over the data.', minimum=1)
    batch: int = setting(64, 'Clips per step.', minimum=1)
    learning_rate: float = setting(
        3e-3, 'Of Adam after the first steps; it falls to 0.', minimum=1e-6, maximum=1.0
    )


@dataclass(frozen=True)
class PruneConfig(Config):
    """How `prune` makes weights zero."""

    sparsity: float = setting(
        0.0,
        'Share of zeros in every kernel; `prune` sets it to what it was asked for.',
        minimum=0.0,
        maximum=0.99,
    )
    epochs: int = setting(4, 'Passes over the data.', minimum=1)
    learning_rate: float = setting(3e-4, 'Of Adam.', minimum=1e-7, maximum=1.0)


@dataclass(frozen=True)
class ClusterConfig(Config):
    """How `cluster` makes weights share values."""

    clusters: int = setting(
        0,
        'Different values in every kernel, 0 for any; `cluster` sets it to what it was asked for.',
        minimum=0,
        maximum=256,
    )
    epochs: int = setting(2, 'Passes over the data.', minimum=1)
    learning_rate: float = setting(1e-4, 'Of Adam.', minimum=1e-7, maximum=1.0)


@dataclass(frozen=True)
class SearchConfig(Config):
    """How `search` looks for an architecture."""

    seed: int = setting(1, 'Seed of all randomness.', minimum=0)
    batches: int = setting(150, 'Most batches of an epoch of the search.', minimum=1)
    trials: int = setting(12, 'optuna: networks to try, by all who share the study.', minimum=1)
    epochs: int = setting(3, 'optuna: epochs that a network is trained for.', minimum=1)
    parameters_max: int = setting(
        200000, 'optuna: a network with more to train is passed over.', minimum=1000
    )
    cells: int = setting(4, 'darts: cells after the first convolution.', minimum=1, maximum=12)
    filters: int = setting(24, 'darts: channels of every cell.', minimum=1, maximum=256)
    darts_epochs: int = setting(12, 'darts: epochs of the search.', minimum=1)
    darts_warm_up: int = setting(
        4, 'darts: the first of them, in which the mixing does not learn.', minimum=0
    )
    mixing_rate: float = setting(
        3e-3, 'darts: learning rate of the architecture weights.', minimum=1e-6, maximum=1.0
    )
