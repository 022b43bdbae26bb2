# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What walls are made of, and how much of a sound they swallow.

Absorption coefficients: M. Vorländer, "Auralization: fundamentals of acoustics, modelling,
simulation, algorithms and acoustic virtual reality", Springer 2008, appendix.
"""

from dataclasses import dataclass

import numpy as np

# Centres of the octaves that absorption is known in [Hz]. In between it is interpolated.
BANDS = (250.0, 1000.0, 4000.0)


@dataclass(frozen=True)
class Material:
    """What a wall is made of.

    Attributes:
        absorption: share of the power that is swallowed, 0..1, one for each of BANDS.
    """

    absorption: tuple[float, ...]

    @property
    def reflection(self) -> np.ndarray:
        """Amplitude of what is reflected, 0..1, shape (bands,)."""
        return np.sqrt(1 - np.array(self.absorption))


SMOOTH_CONCRETE = Material((0.01, 0.02, 0.05))
ROUGH_PLASTER = Material((0.03, 0.04, 0.07))
BRICKWORK = Material((0.02, 0.03, 0.04))
TILES = Material((0.01, 0.02, 0.02))
PLASTERBOARD = Material((0.10, 0.04, 0.05))
GLASS = Material((0.04, 0.03, 0.02))
WOODEN_LINING = Material((0.23, 0.15, 0.07))
WOODEN_FLOOR = Material((0.12, 0.09, 0.07))
LINOLEUM = Material((0.03, 0.03, 0.02))
THIN_CARPET = Material((0.04, 0.20, 0.40))
CARPET = Material((0.08, 0.60, 0.80))
CURTAINS = Material((0.45, 0.56, 0.71))
LIGHT_CURTAINS = Material((0.12, 0.27, 0.42))
PLASTERBOARD_CEILING = Material((0.15, 0.08, 0.02))
CEILING_TILES = Material((0.53, 0.75, 0.99))
ACOUSTIC_PLASTER = Material((0.36, 0.65, 0.68))
UPHOLSTERY = Material((0.60, 0.89, 0.70))


def band_weights(frequencies: np.ndarray) -> np.ndarray:
    """Return how much each of BANDS counts at frequencies.

    Args:
        frequencies: [Hz], shape (frequencies,).

    Returns:
        Shape (bands, frequencies); at every frequency they add up to 1.
    """
    octaves = np.log2(np.maximum(frequencies, 1.0))
    centres = np.log2(BANDS)
    return np.stack([np.interp(octaves, centres, one) for one in np.eye(len(BANDS))])
