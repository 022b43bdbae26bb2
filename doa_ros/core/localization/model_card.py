# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The card of a network: what it was made for, and how its file is read and written.

A model is two files side by side, NAME.tflite and NAME.yaml. The card names the array, the
features, the classes and the SHA-256 of the network. A model of several sources may have a third,
NAME_follower.tflite, a recurrent network that follows them; its SHA-256 is in the card, too.
"""

import dataclasses
from dataclasses import dataclass
import math
from pathlib import Path

import numpy as np
import yaml

from doa_ros.core.config import load_yaml, require_keys, said, short
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.features.extractor import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.decoding import DirectionGrid
from doa_ros.core.localization.hmm_filter import HmmFilterConfig
from doa_ros.core.localization.matching import SCALE_MAX, SCALE_MIN, Match, match

CARD_FORMAT = 1
_OUTPUTS = {'azimuth', 'elevation', 'activity'}
# A thousand times what the networks take that are made for this.
_MAX_MODEL_BYTES = 1 << 26
# Largest weight of the steered response for a single source.
_SHARPEST = 1000.0
# What `evaluate --scale` says about arrays that are not as trained.
_COST = 'in simulated rooms no loss could be measured'


@dataclass(frozen=True)
class ModelCard:
    """What a network was made for.

    Attributes:
        array_name: the array it was trained for.
        positions: microphone positions in the board's own frame [m], shape (microphones, 3).
        sampling_frequency: [Hz].
        features: the settings of its features.
        grid: the directions its classes stand for.
        outputs: what each of its outputs is: 'azimuth', 'elevation' or 'activity'.
        sha256: of the .tflite file, in hexadecimal.
        training: how it was made and how well it does; for people.
        multilabel: whether its azimuth classes are judged one by one, for several sources at
            once; each then has an elevation of its own.
        steered_response: how much the steered response says of the azimuths [1]; 0 for nothing.
            Those of a single source are multiplied by exp(steered_response * response). Of
            several sources, it is the weight, at most 1, of SRP-PHAT's log-odds in the mean of
            them and the network's.
        memory: how its outputs are followed from frame to frame; None where each frame stands
            for itself. Of several sources the follower follows them, and this is what its outputs
            are worth.
        follower: SHA-256 of the recurrent network that follows several sources; None without.
    """

    array_name: str
    positions: np.ndarray
    sampling_frequency: int
    features: FeatureConfig
    grid: DirectionGrid
    outputs: tuple[str, ...]
    sha256: str
    training: dict
    multilabel: bool = False
    steered_response: float = 0.0
    memory: Calibration | None = None
    follower: str | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each output, by its name."""
        azimuth, elevation = (self.grid.azimuth_count,), (self.grid.elevation_count,)
        shapes = {
            'azimuth': azimuth,
            'elevation': azimuth + elevation if self.multilabel else elevation,
            'activity': (1,),
        }
        return {name: shapes[name] for name in self.outputs}

    def named(self, outputs: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of the network, each flat, in their shapes and by their names."""
        return {
            name: output.reshape(shape)
            for (name, shape), output in zip(self.shapes.items(), outputs, strict=True)
        }

    def to_mapping(self) -> dict:
        """Return the content of the card's file."""
        lowest = round(math.degrees(self.grid.elevation_min), 6)
        return {
            'format': CARD_FORMAT,
            'sha256': self.sha256,
            'array': {
                'name': self.array_name,
                'sampling_frequency': self.sampling_frequency,
                'positions': np.round(self.positions, 6).tolist(),
            },
            'features': self.features.to_mapping(),
            'azimuth_classes': self.grid.azimuth_count,
            'elevation_classes': self.grid.elevation_count,
            **({'elevation_min_deg': lowest} if lowest else {}),
            'outputs': list(self.outputs),
            'multilabel': self.multilabel,
            'steered_response': self.steered_response,
            **({'follower': self.follower} if self.follower else {}),
            **({'memory': self.memory.to_mapping()} if self.memory else {}),
            'training': self.training,
        }

    def match(self, array: MicArray) -> Match | None:
        """Return how the network's microphones lie on an array; None where it does not fit."""
        found = match(array, self.positions)
        # Positions in files are rounded.
        fits = found is not None and SCALE_MIN <= round(found.scale, 3) <= SCALE_MAX
        return found if fits else None

    def features_for(self, array: MicArray) -> FeatureConfig:
        """Return the settings with which an array's features are those of the network's array."""
        found = self.match(array)
        if found is None or found.scale == 1:
            return self.features
        # On a larger array all delays are longer in proportion.
        return dataclasses.replace(self.features, lag_rate=self.features.lag_rate / found.scale)

    def differences(self, array: MicArray, features: FeatureConfig) -> list[str]:
        """Return, in words, what of the array or the features the network does not fit.

        The array must be the one that `suited` returns.
        """
        found = []
        matched = self.match(array)
        if matched is None:
            found.append(self._other_shape(array))
        elif (matched.rotation, matched.mirrored, matched.order) != (0.0, False, array.order):
            found.append(f'the microphones of array {array.name!r} are turned or in another order')
        if self.features.band_max > array.sampling_frequency / 2:
            found.append(
                f'it needs frequencies up to {self.features.band_max:g} Hz, and those of array '
                f'{array.name!r} end at {array.sampling_frequency / 2:g} Hz'
            )
        mine, theirs = self.features_for(array).to_mapping(), features.to_mapping()
        found += [
            f'its {name} is {mine[name]:g} and the configured one is {theirs[name]:g}'
            for name in mine
            if not np.isclose(mine[name], theirs[name])
        ]
        return found

    def _other_shape(self, array: MicArray) -> str:
        if self.positions.shape != array.positions.shape:
            return (
                f'it has {len(self.positions)} microphones ({self.array_name}) and array '
                f'{array.name!r} has {len(array.positions)}'
            )
        found = match(array, self.positions)
        if found is not None:
            return (
                f'array {array.name!r} is {found.scale:.3f} times as large as '
                f'{self.array_name!r}, and only {SCALE_MIN:g} to {SCALE_MAX:g} times will do'
            )
        distance = np.linalg.norm(self.positions - array.positions, axis=1).max()
        return (
            f'array {array.name!r} has another shape: a microphone lies {distance * 1000:.1f} mm '
            f'away from its place in {self.array_name!r}'
        )

    def said_of(self, array: MicArray) -> str:
        """Return a sentence about what of an array that fits is not as trained; '' for nothing."""
        found = self.match(array)
        parts = [] if found is None else found.differences(array)
        if self.sampling_frequency != array.sampling_frequency:
            parts.append(
                f'at {array.sampling_frequency} Hz instead of {self.sampling_frequency} Hz'
            )
        if found is None or not parts:
            return ''
        return (
            f'array {array.name!r} has the shape of {self.array_name!r}, which the network was '
            f'trained for, but is not the same: {"; ".join(parts)}; {_COST}'
        )


def load_card(model: Path) -> ModelCard:
    """Read the card of a .tflite file.

    Raises:
        ModelError: the network or its card is missing or the card is not usable.
    """
    if not model.is_file():
        raise ModelError(f'{model}: no such model file')
    if model.stat().st_size > _MAX_MODEL_BYTES:
        raise ModelError(f'{model}: larger than {_MAX_MODEL_BYTES} bytes, so no network for this')
    path = model.with_suffix('.yaml')
    if not path.is_file():
        raise ModelError(f'{path}: missing; a model needs this card beside its .tflite file')
    where = str(path)
    try:
        content = load_yaml(path)
        require_keys(
            content,
            where,
            required={
                'format',
                'sha256',
                'array',
                'features',
                'azimuth_classes',
                'elevation_classes',
                'outputs',
            },
            optional={
                'elevation_min_deg',
                'training',
                'multilabel',
                'steered_response',
                'memory',
                'follower',
            },
        )
        if content['format'] != CARD_FORMAT:
            raise ModelError(f'{where}: format {short(content["format"])} is not {CARD_FORMAT}')
        array = content['array']
        require_keys(array, where, required={'name', 'sampling_frequency', 'positions'})
        # All of them: a default that changes must not change what an old card says.
        settings = {field.name for field in dataclasses.fields(FeatureConfig)}
        require_keys(content['features'], f'{where}: features', required=settings)
        worth = Calibration if content.get('multilabel') else HmmFilterConfig
        card = ModelCard(
            array_name=str(array['name']),
            positions=np.array(array['positions'], dtype=float),
            sampling_frequency=int(array['sampling_frequency']),
            features=FeatureConfig.from_mapping(content['features'], where),
            grid=DirectionGrid(
                int(content['azimuth_classes']),
                int(content['elevation_classes']),
                math.radians(float(content.get('elevation_min_deg', 0.0))),
            ),
            outputs=tuple(str(name) for name in content['outputs']),
            sha256=str(content['sha256']),
            training=content.get('training', {}),
            multilabel=content.get('multilabel', False),
            steered_response=float(content.get('steered_response', 0.0)),
            memory=worth.from_mapping(content['memory'], f'{where}: memory')
            if 'memory' in content
            else None,
            follower=str(content['follower']) if 'follower' in content else None,
        )
    except ConfigError as error:
        raise ModelError(str(error)) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(f'{where}: {said(error)}') from None
    if card.positions.shape[1:] != (3,) or not np.isfinite(card.positions).all():
        raise ModelError(f'{where}: positions must be x, y, z of each microphone')
    named = set(card.outputs)
    if len(named) < len(card.outputs) or not {'azimuth'} <= named <= _OUTPUTS:
        raise ModelError(
            f'{where}: outputs must name azimuth, and may name elevation and activity, once each'
        )
    if not 0 <= card.steered_response <= (1 if card.multilabel else _SHARPEST):
        raise ModelError(
            f'{where}: steered_response must be at least 0, and at most {_SHARPEST:g} or, with '
            'multilabel, 1'
        )
    if card.memory is not None and 'activity' not in named:
        raise ModelError(f'{where}: memory needs an activity output')
    if type(card.multilabel) is not bool:
        raise ModelError(f'{where}: multilabel must be true or false')
    if card.multilabel and (card.memory is None) != (card.follower is None):
        raise ModelError(f'{where}: with multilabel, memory and follower need each other')
    if card.follower is not None and not (
        card.multilabel and card.features.residual and named == _OUTPUTS
    ):
        raise ModelError(
            f'{where}: a follower needs multilabel, features with residual, and all outputs'
        )
    if card.grid.azimuth_count < 4 or not (
        card.grid.elevation_count >= 3 or 'elevation' not in card.outputs
    ):
        raise ModelError(f'{where}: needs at least 4 azimuth and 3 elevation classes')
    if not -math.pi / 2 <= card.grid.elevation_min <= 0:
        raise ModelError(f'{where}: elevation_min_deg must lie in -90..0')
    return card


def save_card(card: ModelCard, model: Path) -> None:
    """Write the card of a .tflite file beside it."""
    text = yaml.safe_dump(card.to_mapping(), sort_keys=False, width=95)
    model.with_suffix('.yaml').write_text(text, encoding='utf-8')


def follower_file(model: Path) -> Path:
    """Return where the recurrent network of a .tflite file lies."""
    return model.with_name(f'{model.stem}_follower.tflite')
