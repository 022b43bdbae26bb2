# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a model's making: one YAML file, one section per verb."""

from dataclasses import dataclass, field, replace
import os
from pathlib import Path
import shutil
from typing import get_type_hints

import yaml

from doa_ros.core.ambiguity import require_elevations
from doa_ros.core.array_file import load_array
from doa_ros.core.config import Config, load_yaml, require_keys
from doa_ros.core.errors import ConfigError
from doa_ros.core.features import stored_columns
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.trained_array import ANY_ARRAY
from doa_ros.resources import find_resource

from .sections import (
    ClusterConfig,
    FinetuneConfig,
    PruneConfig,
    QuantizeConfig,
    SearchConfig,
    SimulateConfig,
    TrainConfig,
    TrainFilterConfig,
)

# Sections by the names that they had before.
_RENAMED = {'follow': 'train_filter'}


@dataclass(frozen=True)
class Settings:
    """All settings of one model; what a file leaves out has its default.

    Attributes:
        array: name or path of the array; `any` for a model that works with every one.
        features: of the model; the data is simulated with the same or with more lags.
        data_features: of the simulated data.
        simulate, train, finetune, search, quantize, train_filter, prune, cluster: of the verbs.
    """

    array: str
    features: FeatureConfig = field(default_factory=FeatureConfig)
    data_features: FeatureConfig = field(default_factory=FeatureConfig)
    simulate: SimulateConfig = field(default_factory=SimulateConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    finetune: FinetuneConfig = field(default_factory=FinetuneConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    quantize: QuantizeConfig = field(default_factory=QuantizeConfig)
    train_filter: TrainFilterConfig = field(default_factory=TrainFilterConfig)
    prune: PruneConfig = field(default_factory=PruneConfig)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)

    def stored_columns(self) -> slice:
        """Return which columns of the data's features are the model's; of maps, all are.

        Raises:
            ConfigError: the data's features do not hold the model's.
        """
        if self.any_array:
            if replace(self.features, residual=self.data_features.residual) != self.data_features:
                raise ConfigError(
                    f'with array {ANY_ARRAY}, features and data_features are the same'
                )
            return slice(None)
        try:
            return stored_columns(self.features, self.data_features)
        except ConfigError as error:
            raise ConfigError(f'features and data_features: {error}') from None

    @property
    def any_array(self) -> bool:
        """Whether they are those of a model that works with every array."""
        return self.array == ANY_ARRAY

    def load_array(self) -> MicArray:
        """Return the array, read from its file.

        Raises:
            ConfigError: it is not usable, networks cannot be trained for it, or there is none.
        """
        if self.any_array:
            raise ConfigError('this needs settings of one array, and those of every one are given')
        array = load_array(find_resource('arrays', self.array))
        require_elevations(array, self.train.grid.elevation_min)
        return array

    def with_architecture(self, architecture: str) -> 'Settings':
        """Return these settings with another network: a name, or the path of its file."""
        return replace(self, train=replace(self.train, architecture=architecture))

    def save(self, path: Path) -> None:
        """Write a settings file that holds every setting.

        Where the network is described by a file, it gets a copy beside it, architecture.yaml:
        both can be moved.
        """
        kept = self
        if is_file(self.train.architecture):
            copy = path.parent / 'architecture.yaml'
            source = find_resource('architectures', self.train.architecture)
            if source.resolve() != copy.resolve():
                shutil.copyfile(source, copy)
            kept = self.with_architecture(copy.name)
        sections = {
            name: value.to_mapping() if isinstance(value, Config) else value
            for name, value in vars(kept).items()
        }
        path.write_text(yaml.safe_dump(sections, sort_keys=False), encoding='utf-8')


def load_settings(path: Path) -> Settings:
    """Read a training settings file.

    Raises:
        ConfigError: the file is missing or a setting is not usable.
    """
    content = load_yaml(path)
    sections = get_type_hints(Settings)
    del sections['array']
    require_keys(content, str(path), required={'array'}, optional=sections, renamed=_RENAMED)
    parsed = {
        name: section.from_mapping(content.get(name) or {}, f'{path}: {name}')
        for name, section in sections.items()
    }
    settings = Settings(array=str(content['array']), **parsed)
    try:
        settings.stored_columns()
    except ConfigError as error:
        raise ConfigError(f'{path}: {error}') from None
    if is_file(settings.train.architecture):
        file = path.parent / os.path.expanduser(settings.train.architecture)
        return settings.with_architecture(str(file))
    return settings


def find_settings(name: str) -> Settings:
    """Read training settings by the name of a shipped file, or by the path of one.

    Raises:
        ConfigError: the file is missing or a setting is not usable.
    """
    return load_settings(find_resource('training', name))


def is_file(architecture: str) -> bool:
    """Return whether the setting train.architecture is a file rather than a name."""
    return architecture.endswith('.yaml')
