# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration: true confidences, elevations and standard deviations for a network's outputs."""

from dataclasses import dataclass
import math

from scipy import special

from doa_ros.core.config import Config, setting
from doa_ros.core.localization.decoding import Estimate, logit
from doa_ros.core.localization.spectrum import Peak, Spectrum

_LEAST_COHERENCE = 0.02
SENSITIVITY_POWER = 1.5
"""Power of the odds of the sensitivity where nothing was fitted."""
LEAST_PROBABILITY = 1e-9
"""Smallest distance of the posterior from 0 and 1, which keeps log-odds finite."""


@dataclass(frozen=True)
class Calibration(Config):
    """From the peak of a spectrum to an estimate; `calibrate` finds the settings."""

    confidence_bias: float = setting(
        0.0, 'Added to the log-odds of a source within 10 degrees: Platt scaling.'
    )
    confidence_weight: float = setting(1.0, 'Weight of these log-odds.', minimum=0.0)
    sensitivity_power: float = setting(
        SENSITIVITY_POWER,
        'Power of the odds of the sensitivity, for estimates; it is larger where confidences '
        'are spread wider.',
        minimum=0.1,
        maximum=10.0,
    )
    elevation_scale: float = setting(
        1.0, 'Factor of the elevation of the posterior.', minimum=0.5, maximum=2.0
    )
    elevation_shift_deg: float = setting(
        0.0,
        'Added to the elevation [deg]; imperfect microphones make sounds seem too high.',
        minimum=-45.0,
        maximum=45.0,
    )
    azimuth_spread: float = setting(
        1.0, 'Standard deviation of the azimuth error [rad] for a posterior of 1 rad.'
    )
    azimuth_power: float = setting(
        1.0, 'Power of the deviation of the posterior by which it grows.', minimum=0.0, maximum=5.0
    )
    azimuth_fading: float = setting(
        0.0, 'Power of the coherence by which it falls.', minimum=0.0, maximum=5.0
    )
    elevation_spread: float = setting(1.0, 'azimuth_spread for the elevation.')
    elevation_power: float = setting(
        1.0, 'azimuth_power for the elevation.', minimum=0.0, maximum=5.0
    )
    elevation_fading: float = setting(
        0.0, 'azimuth_fading for the elevation.', minimum=0.0, maximum=5.0
    )

    def estimate(self, spectrum: Spectrum, peak: Peak) -> Estimate:
        """Return the calibrated estimate of one of the peaks of a spectrum."""
        elevation, elevation_stddev = spectrum.elevation_at(peak.azimuth)
        raw = logit(peak.probability, LEAST_PROBABILITY)
        log_odds = self.confidence_bias + self.confidence_weight * raw
        # Less coherent sound, in reverberation or with dead microphones, has larger errors.
        coherence = max(float(spectrum.coherence), _LEAST_COHERENCE)
        azimuth_stddev = peak.stddev**self.azimuth_power / coherence**self.azimuth_fading
        elevation_stddev = (
            elevation_stddev**self.elevation_power / coherence**self.elevation_fading
        )
        return Estimate(
            azimuth=peak.azimuth,
            elevation=self.corrected(elevation, spectrum.elevation_min),
            azimuth_stddev=self.azimuth_spread * azimuth_stddev,
            elevation_stddev=self.elevation_spread * elevation_stddev,
            confidence=float(special.expit(log_odds)),
            attributes=spectrum.attributes_at(peak.azimuth),
        )

    def estimates(self, spectrum: Spectrum) -> list[Estimate]:
        """Return the calibrated estimates of all peaks, the most confident first."""
        return [self.estimate(spectrum, peak) for peak in spectrum.peaks()]

    def corrected(self, elevation: float, lowest: float) -> float:
        """Return the elevation [rad] for that of the classes; NaN stays NaN.

        Args:
            elevation: that of the classes [rad].
            lowest: that of the first class [rad].
        """
        shifted = self.elevation_scale * elevation + math.radians(self.elevation_shift_deg)
        # In this order, NaN stays NaN.
        return min(max(shifted, lowest), math.pi / 2)
