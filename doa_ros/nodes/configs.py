# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which parameters each node has."""

from collections.abc import Iterable
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from doa_ros.core.config import Config, setting
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.localizer import LocalizerConfig, MethodConfig
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.network_choice import find_network
from doa_ros.parameters import parameter_name
from doa_ros.resources import ANY_ARRAY_MODEL, DEFAULT_ARRAY, DEFAULT_MODEL, find_resource


@dataclass(frozen=True)
class PaceConfig(Config):
    """At what pace sound is played.

    Every node that takes or plays sound, or what follows from it, has this parameter: the QoS of
    its topics depends on it, and is fixed before a message could tell.
    """

    real_time: bool = setting(
        True,
        'Play a recording or scene at the pace of the ROS clock; otherwise as fast as possible, '
        'and every node waits until it has all of it.',
    )


@dataclass(frozen=True)
class CaptureConfig(PaceConfig):
    """What is captured, and how it is passed on."""

    array: str = setting(DEFAULT_ARRAY, 'Microphone array: a shipped name or a YAML path.')
    frame_id: str = setting('mic_array', 'TF frame of the array.')
    source: str = setting(
        'device',
        'Where the sound comes from: the array itself, a recording or a simulated scene.',
        choices=('device', 'file', 'sim'),
    )
    device: str = setting(
        '',
        'The device: part of its name, its USB port (usb:1-1.4), an ALSA name '
        '(hw:CARD=SPK,DEV=0) or id, or its number; empty takes the name in the array file. '
        '--list-devices shows them.',
    )
    required: bool = setting(
        False,
        'Whether the node ends if the device is missing or not usable at the start; otherwise '
        'it waits for the device.',
    )
    file: str = setting('', 'Recording to play, source file: a path to WAV or FLAC.')
    scene: str = setting('demo', 'Scene to play, source sim: a shipped name or a YAML path.')
    loop: bool = setting(
        False, 'Start a recording or scene again at its end; otherwise the node ends there.'
    )
    block_duration: float = setting(
        0.05,
        'Length of an audio frame [s]; if it equals features.hop, every estimate has the stamp of '
        'an audio frame.',
        minimum=0.002,
        maximum=0.2,
    )
    publish_audio: bool = setting(
        False,
        'Whether the sound itself leaves the process, on the topic audio. The executable '
        'audio_capture has no other use and demands it.',
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.frame_id:
            raise ConfigError('frame_id must not be empty')


@dataclass(frozen=True)
class ModelConfig(MethodConfig):
    """By which method and network directions are found.

    gcc_phat has these parameters, as it computes the features that the network was trained with,
    and doa_estimator, as it runs the network. No message names a network: the same features suit
    several. doa_estimator checks the settings that come with the features against the card.
    """

    model: str = setting(
        DEFAULT_MODEL,
        'Network of method cnn: a shipped name or a .tflite path. Its card gives the '
        f'defaults of the parameters features.*. Where the default one does not fit the array, '
        f'{ANY_ARRAY_MODEL} is taken, if it is shipped.',
    )

    @property
    def network(self) -> Path | None:
        """The .tflite file of method cnn, whatever the array; None of any other method.

        Raises:
            ConfigError: there is none.
        """
        return find_resource('models', self.model) if self.method == 'cnn' else None

    def network_for(self, array: MicArray) -> Path | None:
        """Return the .tflite file of method cnn for an array; None of any other method.

        Raises:
            DoaError: of `find_network`.
        """
        return find_network(self.model, array) if self.method == 'cnn' else None


@dataclass(frozen=True)
class GccPhatConfig(ModelConfig, PaceConfig):
    """The method and network that the features are for: they give the defaults of `features.*`."""


@dataclass(frozen=True)
class EstimatorConfig(ModelConfig, LocalizerConfig, PaceConfig):
    """How directions are found in features."""


@dataclass(frozen=True)
class MarkersConfig(Config):
    """How arrows and trails look."""

    arrow_length: float = setting(
        1.0,
        'Length of an arrow of confidence 1 [m].',
        minimum=0.01,
        maximum=100.0,
        dynamic=True,
    )
    trail_duration: float = setting(
        3.0,
        'How long the trail of a track stays visible [s].',
        minimum=0.0,
        maximum=60.0,
        dynamic=True,
    )


@dataclass(frozen=True)
class HostConfig(Config):
    """Where what is shown to people is served."""

    host: str = setting(
        '127.0.0.1',
        'Address at which the live page and Foxglove are served; 0.0.0.0 shows them to everybody '
        'in the network.',
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.host:
            raise ConfigError('host must not be empty: 127.0.0.1 is this computer alone')


@dataclass(frozen=True)
class FoxgloveConfig(HostConfig):
    """Where Foxglove connects."""

    foxglove_port: int = setting(
        8765,
        'Port that Foxglove connects to; 0 takes any that is free.',
        minimum=0,
        maximum=65535,
    )


@dataclass(frozen=True)
class DashboardConfig(HostConfig):
    """Where the live page is, and what may be done by it."""

    port: int = setting(
        8800, 'Port of the live page; 0 takes any that is free.', minimum=0, maximum=65535
    )
    allow_control: bool = setting(
        False,
        'Whether the page may set the sensitivity and mute, for those who have the token, which '
        'is printed once.',
    )
    allow_recording: bool = setting(
        False,
        'Whether the page may record sound with its direction, for fine-tuning; needs '
        'allow_control.',
    )
    token_file: str = setting(
        '', 'File with the token, made where it is missing; empty draws one at each start.'
    )
    recording_folder: str = setting(
        '~/doa_recordings', 'Folder that recordings are written into, with their labels.csv.'
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.allow_recording and not self.allow_control:
            raise ConfigError(
                'allow_recording needs allow_control:=true: only who has the token may write'
            )


# Prefixes of the names of parameters: the part of the chain that they belong to.
FEATURES, TRACKER, MARKERS = 'features', 'tracker', 'markers'

# The parameters of each node by prefix; the nodes are in the order of the chain.
NODES: dict[str, dict[str, type[Config]]] = {
    'audio_capture': {'': CaptureConfig},
    'gcc_phat': {'': GccPhatConfig, FEATURES: FeatureConfig},
    'doa_estimator': {'': EstimatorConfig},
    'doa_tracker': {'': PaceConfig, TRACKER: TrackerConfig},
    'doa_markers': {MARKERS: MarkersConfig},
    'doa_dashboard': {'': DashboardConfig},
    'doa_foxglove': {'': FoxgloveConfig},
}


def settings(nodes: Iterable[str] = NODES) -> dict[str, Field[Any]]:
    """Return the settings of nodes, all by default, by the names of their parameters."""
    return {
        parameter_name(prefix, field.name): field
        for node in nodes
        for prefix, config in NODES[node].items()
        for field in fields(config)
    }


def renamed() -> dict[str, str]:
    """Return the names of parameters by their former names, or by those without the prefix."""
    names: dict[str, str] = {}
    for configs in NODES.values():
        for prefix, config in configs.items():
            names |= {old: parameter_name(prefix, new) for old, new in config.RENAMED.items()}
            if prefix:
                names |= {f.name: parameter_name(prefix, f.name) for f in fields(config)}
    return names
