# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What can be evaluated: methods that find directions, and methods that track talkers.

A new method is a class in a file of its own and a line in the list of `baselines/__init__.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.calibration import SENSITIVITY_POWER
from doa_ros.core.localization.decoding import Estimate

from .inputs import MethodInput

# Number and azimuth [rad] of all tracks at one block.
Tracks = Sequence[tuple[int, float]]


class UnavailableError(ConfigError):
    """A method does not work with an array or on this machine.

    Args:
        name: of the method.
        reason: the rest of a sentence.
    """

    def __init__(self, name: str, reason: str):
        super().__init__(f'{name} is left out: {reason}.')


class DirectionMethod(ABC):
    """A method that finds directions.

    Attributes:
        name: for people; every method has to set it.
        azimuth_classes: how many classes its class accuracy is counted in.
        least_confidence: the confidence from which on the method itself gives an estimate.
        sensitivity_power: of `Calibration`, by which the sensitivity would decide.
        failures: at how many blocks it failed numerically so far.
    """

    name: str
    azimuth_classes = 36
    least_confidence = 0.0
    sensitivity_power = SENSITIVITY_POWER
    failures = 0

    @abstractmethod
    def estimates(self, clip: MethodInput) -> list[Sequence[Estimate]]:
        """Return the estimates at every scored block, the best one first.

        Unknown fields of an estimate are NaN. An estimate below `least_confidence` is scored as a
        guess that the method would not give of its own accord.

        Args:
            clip: one of many; methods keep nothing from one to the next.
        """


class TrackingMethod(ABC):
    """A method that tracks talkers.

    Attributes:
        name: for people; every method has to set it.
        has_identities: whether a number stands for one talker; otherwise all numbers are 0.
    """

    name: str
    has_identities = True

    @abstractmethod
    def tracks(self, clip: MethodInput) -> list[Tracks]:
        """Return the tracks at the end of every block of the clip."""
