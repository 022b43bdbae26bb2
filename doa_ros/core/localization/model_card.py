# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The card of a network: what it was made for, and how its file is read and written.

A model is two files side by side, NAME.tflite and NAME.yaml. The card names the array, or `any`,
the features, the classes and the SHA-256 of the network. A model of several sources may have a
third, NAME_filter.tflite, the network of a recurrent filter; its SHA-256 is in the card, too.
"""

from collections.abc import Iterable, Mapping
import dataclasses
from dataclasses import dataclass, field
import math
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml

from doa_ros.core.config import Config, error_text, load_yaml, require_keys, short
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.files import write_whole
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.hmm_filter import HmmFilterConfig
from doa_ros.core.localization.network_input import NETWORK_INPUTS, ResponseMap, Taps
from doa_ros.core.localization.output_heads import OUTPUT_HEADS, head_shapes
from doa_ros.core.localization.recurrent_filter import RecurrentFilterConfig
from doa_ros.core.localization.spectrum import Spectrum, spectrum_type
from doa_ros.core.localization.trained_array import ANY_ARRAY, TrainedArray

CARD_FORMAT = 2
_REQUIRED = {
    'format',
    'sha256',
    'array',
    'features',
    'azimuth_classes',
    'elevation_classes',
    'outputs',
}
_OPTIONAL = {
    'input',
    'elevation_min_deg',
    'multi_source',
    'srp_weight',
    'hmm',
    'recurrent_filter',
    'calibration',
    'training',
}
# Settings of the features that came later and are off where a card does not name them.
_LATER_SETTINGS = {'whitening'}
# Keys of format 1 by those of today.
_RENAMED = {
    'multilabel': 'multi_source',
    'steered_response': 'srp_weight',
    'follower': 'recurrent_filter',
    'memory': 'hmm and calibration',
}
# Outputs that the recurrent filter takes.
_FILTERED = {'azimuth', 'elevation', 'activity'}
# A thousand times what the networks take that are made for this.
_MAX_MODEL_BYTES = 1 << 26
# Largest weight of SRP-PHAT for a single source.
_MAX_SRP_WEIGHT = 1000.0

_Part = TypeVar('_Part', bound=Config)


@dataclass(frozen=True)
class ModelCard:
    """What a network was made for; a card that contradicts itself cannot be built.

    Attributes:
        array: the array it was trained for; None for every one.
        features: the settings of its features.
        grid: the directions its classes stand for.
        outputs: what each of its outputs is: names of OUTPUT_HEADS.
        sha256: of the .tflite file, in hexadecimal.
        training: how it was made and how well it does; for people.
        multi_source: whether each azimuth class has a probability of its own, for several
            sources at once; each class then has elevations of its own.
        srp_weight: weight of SRP-PHAT in the azimuths [1]; 0 leaves it out. The probabilities
            of a single source are multiplied by exp(srp_weight * steered response), and so are the
            elevations of a network for every array. Of several sources, it is the weight, at most
            1, of SRP-PHAT's log-odds in the mean of them and the network's.
        hmm: settings of the HMM filter of a single source; None without a filter.
        recurrent_filter: of several sources; None without a filter.
        calibration: of the outputs of the filter; None where it was not fitted.
        input: what the network takes: a name of NETWORK_INPUTS.

    Raises:
        ModelError: two of them contradict each other, or one is out of bounds.
    """

    array: TrainedArray | None
    features: FeatureConfig
    grid: DirectionGrid
    outputs: tuple[str, ...]
    sha256: str
    training: dict[str, Any] = field(default_factory=dict)
    multi_source: bool = False
    srp_weight: float = 0.0
    hmm: HmmFilterConfig | None = None
    recurrent_filter: RecurrentFilterConfig | None = None
    calibration: Calibration | None = None
    input: str = Taps.name

    def __post_init__(self) -> None:
        if self.input not in NETWORK_INPUTS:
            kinds = ' or '.join(NETWORK_INPUTS)
            raise ModelError(f'input must be {kinds}, not {short(self.input)}')
        if self.array is None and self.input == Taps.name:
            raise ModelError(f'array {ANY_ARRAY} needs input {ResponseMap.name}')
        named = set(self.outputs)
        if len(named) < len(self.outputs) or not {'azimuth'} <= named <= set(OUTPUT_HEADS):
            others = ', '.join(name for name in OUTPUT_HEADS if name != 'azimuth')
            raise ModelError(f'outputs must name azimuth, and may name {others}, once each')
        if self.grid.azimuth_count < 4 or (self.grid.elevation_count < 3 and 'elevation' in named):
            raise ModelError('needs at least 4 azimuth and 3 elevation classes')
        if not -math.pi / 2 <= self.grid.elevation_min <= 0:
            raise ModelError('elevation_min_deg must lie in -90..0')
        if not 0 <= self.srp_weight <= (1 if self.multi_source else _MAX_SRP_WEIGHT):
            raise ModelError(
                f'srp_weight must be at least 0, and at most {_MAX_SRP_WEIGHT:g} or, with '
                'multi_source, 1'
            )
        self._check_filter(named)

    def _check_filter(self, outputs: set[str]) -> None:
        if self.hmm is not None and (self.multi_source or 'activity' not in outputs):
            raise ModelError('hmm needs an activity output, and a single source')
        if self.recurrent_filter is not None and not (
            self.multi_source and self.features.residual and _FILTERED <= outputs
        ):
            raise ModelError(
                'recurrent_filter needs multi_source, features with residual, elevation, activity'
            )
        if self.calibration is not None and not (self.hmm or self.recurrent_filter):
            raise ModelError('calibration needs hmm or recurrent_filter, whose outputs it is of')

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each output, by its name."""
        return head_shapes(self.outputs, self.grid, multi_source=self.multi_source)

    def named(self, outputs: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of the network, each flat, in their shapes and by their names."""
        return {
            name: output.reshape(shape)
            for (name, shape), output in zip(self.shapes.items(), outputs, strict=True)
        }

    def spectrum(self, outputs: Iterable[np.ndarray]) -> Spectrum:
        """Return the outputs of the network, each flat, as a spectrum."""
        return spectrum_type(self.multi_source).from_outputs(
            self.named(outputs), elevation_min=self.grid.elevation_min
        )

    def to_mapping(self) -> dict[str, Any]:
        """Return the content of the card's file."""
        parts = {
            'hmm': self.hmm,
            'recurrent_filter': self.recurrent_filter,
            'calibration': self.calibration,
        }
        lowest = round(math.degrees(self.grid.elevation_min), 6)
        return {
            'format': CARD_FORMAT,
            'sha256': self.sha256,
            'array': ANY_ARRAY if self.array is None else self.array.to_mapping(),
            'features': self.features.to_mapping(),
            **({'input': self.input} if self.input != Taps.name else {}),
            'azimuth_classes': self.grid.azimuth_count,
            'elevation_classes': self.grid.elevation_count,
            **({'elevation_min_deg': lowest} if lowest else {}),
            'outputs': list(self.outputs),
            'multi_source': self.multi_source,
            'srp_weight': self.srp_weight,
            **{name: part.to_mapping() for name, part in parts.items() if part is not None},
            'training': self.training,
        }


def parse_card(content: Mapping[str, Any], where: str) -> ModelCard:
    """Return the card that a parsed YAML mapping holds, of format 1 or 2.

    Raises:
        ModelError: it is not usable; the message starts with `where`.
    """
    try:
        if content.get('format') == 1:
            content = upgraded(content)
        if content.get('format', CARD_FORMAT) != CARD_FORMAT:
            raise ModelError(f'format {short(content["format"])} is neither 1 nor {CARD_FORMAT}')
        require_keys(content, where, required=_REQUIRED, optional=_OPTIONAL, renamed=_RENAMED)
        array = None
        if content['array'] != ANY_ARRAY:
            array = TrainedArray.from_mapping(content['array'], where)
        # All of them: a default that changes must not change what an old card says.
        settings = {f.name for f in dataclasses.fields(FeatureConfig)}
        require_keys(
            content['features'],
            f'{where}: features',
            required=settings - _LATER_SETTINGS,
            optional=_LATER_SETTINGS,
            renamed=FeatureConfig.RENAMED,
        )
        if type(content.get('multi_source', False)) is not bool:
            raise ModelError('multi_source must be true or false')
        if not isinstance(content.get('training', {}), dict):
            raise ModelError('training must be a mapping')
        return ModelCard(
            array=array,
            features=FeatureConfig.from_mapping(content['features'], where),
            grid=DirectionGrid(
                int(content['azimuth_classes']),
                int(content['elevation_classes']),
                math.radians(float(content.get('elevation_min_deg', 0.0))),
            ),
            outputs=tuple(str(name) for name in content['outputs']),
            sha256=str(content['sha256']),
            training=content.get('training', {}),
            multi_source=content.get('multi_source', False),
            srp_weight=float(content.get('srp_weight', 0.0)),
            hmm=_part(HmmFilterConfig, content, 'hmm', where),
            recurrent_filter=_part(RecurrentFilterConfig, content, 'recurrent_filter', where),
            calibration=_part(Calibration, content, 'calibration', where),
            input=str(content.get('input', Taps.name)),
        )
    except ConfigError as error:
        raise ModelError(str(error)) from None
    except ModelError as error:
        raise ModelError(f'{where}: {error}') from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(f'{where}: {error_text(error)}') from None


def _part(kind: type[_Part], content: Mapping[str, Any], name: str, where: str) -> _Part | None:
    """Return the settings in a section of a card; None where there is no such section."""
    if name not in content:
        return None
    return kind.from_mapping(content[name], f'{where}: {name}')


def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping of a card of format 1 as one of format 2; what is wrong in it stays so.

    In format 1 the settings of the filter and the calibration are one section, `memory`, and
    `follower` is the SHA-256 of the recurrent filter.
    """
    new = {**content, 'format': CARD_FORMAT}
    for old in ('multilabel', 'steered_response'):
        if old in new:
            new[_RENAMED[old]] = new.pop(old)
    if isinstance(new.get('features'), Mapping):
        renamed = FeatureConfig.RENAMED
        new['features'] = {renamed.get(name, name): v for name, v in new['features'].items()}
    section = new.pop('memory', {})
    if not isinstance(section, Mapping):
        return {**new, 'calibration': section}
    names = {f.name for f in dataclasses.fields(Calibration)}
    calibration = {name: value for name, value in section.items() if name in names}
    settings = {name: value for name, value in section.items() if name not in names}
    if calibration:
        new['calibration'] = calibration
    if 'follower' in new:
        new['recurrent_filter'] = {'sha256': new.pop('follower'), **settings}
    elif 'memory' in content:
        new['hmm'] = settings
    return new


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
    try:
        content = load_yaml(path)
    except ConfigError as error:
        raise ModelError(str(error)) from None
    return parse_card(content, str(path))


def save_card(card: ModelCard, model: Path) -> None:
    """Write the card of a .tflite file beside it, as a whole.

    Raises:
        OSError: it cannot be written.
    """
    text = yaml.safe_dump(card.to_mapping(), sort_keys=False, width=95)
    write_whole(model.with_suffix('.yaml'), text.encode())


def filter_file(model: Path) -> Path:
    """Return where the network of the recurrent filter of a .tflite file belongs."""
    return model.with_name(f'{model.stem}_filter.tflite')


def find_filter_file(model: Path) -> Path:
    """Return where it lies: there, or under the name that it had beside cards of format 1."""
    file = filter_file(model)
    old = model.with_name(f'{model.stem}_follower.tflite')
    return old if old.is_file() and not file.is_file() else file
