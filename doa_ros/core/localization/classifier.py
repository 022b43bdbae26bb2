# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The trained classifier: a TFLite network that gives the probabilities of directions."""

from dataclasses import replace
import hashlib
import math
from pathlib import Path

import numpy as np
from scipy import special

from doa_ros.core.ambiguity import require_elevations
from doa_ros.core.errors import ModelError
from doa_ros.core.features import feature_type_of
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.features.source_cancellation import uncancelled
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.azimuth_probability import azimuth_probability, comparable
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.compatibility import incompatibilities
from doa_ros.core.localization.decoding import HALF_STEP, logit
from doa_ros.core.localization.hmm_filter import HmmFilter
from doa_ros.core.localization.model_card import ModelCard, find_filter_file, load_card
from doa_ros.core.localization.network_input import NETWORK_INPUTS
from doa_ros.core.localization.recurrent_filter import RecurrentFilter
from doa_ros.core.localization.source_filter import NoFilter, SourceFilter
from doa_ros.core.localization.spectrum import ResidualSpectrum, Spectrum, WindowSpectra
from doa_ros.core.localization.tflite import TFLiteModel


class Classifier:
    """Direction probabilities from a trained network.

    Args:
        card: of the network.
        network: the .tflite file.
        array: the configured microphones.
        features: the configured features.
        delegate: library that runs the network, see `TFLiteModel`.

    Raises:
        ConfigError: the array gives other elevations than the network, or the features do not fit
            the array.
        ModelError: a file is missing or broken, or the network does not fit; the message says
            in what.
    """

    def __init__(
        self,
        card: ModelCard,
        network: Path,
        array: MicArray,
        features: FeatureConfig,
        delegate: str = '',
    ):
        require_elevations(array, card.grid.elevation_min)
        _check_sha256(network, card.sha256)
        found = incompatibilities(card, array, features)
        if found:
            raise ModelError(
                f'{network} does not fit: {"; ".join(found)} (method srp_phat needs no model)'
            )
        self.grid = card.grid
        self.features = features
        self.multi_source = card.multi_source
        self._calibration = card.calibration or Calibration()
        self.sensitivity_power = self._calibration.sensitivity_power
        feature_type = feature_type_of(array, features)
        self._input = NETWORK_INPUTS[card.input](feature_type, card.grid)
        self._steering: SteeredResponse | None = None
        if card.srp_weight or self._input.needs_response:
            self._steering = SteeredResponse(feature_type, card.grid.azimuth_count)
        self._card = card
        self._network = TFLiteModel(network, delegate)
        if self._network.input_shape != self._input.shape:
            raise ModelError(
                f'{network}: takes input of shape {self._network.input_shape}, but its card '
                f'promises {self._input.shape} ({self._input.axes})'
            )
        sizes = tuple(math.prod(shape) for shape in card.shapes.values())
        if self._network.output_sizes != sizes:
            raise ModelError(f'{network}: its outputs do not have the sizes its card promises')
        self._filter_network: Path | None = None
        if card.recurrent_filter is not None:
            self._filter_network = find_filter_file(network)
            _check_sha256(self._filter_network, card.recurrent_filter.sha256)

    @classmethod
    def load(
        cls, model: Path, array: MicArray, features: FeatureConfig, delegate: str = ''
    ) -> 'Classifier':
        """Return the classifier of a .tflite file with its card beside it; see the class."""
        return cls(load_card(model), model, array, features, delegate)

    def source_filter(self) -> SourceFilter:
        """Return what joins the windows of one stream, as the card says.

        Raises:
            ModelError: the network of the recurrent filter does not suit the classes.
        """
        card, hop, calibration = self._card, self.features.hop, self._calibration
        if card.recurrent_filter is not None and self._filter_network is not None:
            network = TFLiteModel(self._filter_network)
            return RecurrentFilter(network, self.grid, hop, card.recurrent_filter, calibration)
        if card.hmm is not None:
            return HmmFilter(self.grid, hop, card.hmm, calibration)
        return NoFilter()

    def spectra(self, window: WindowFeatures) -> WindowSpectra:
        """Return what is found in a window, and in its residual where it has one."""
        residual = None
        if window.residual is not None:
            residual = ResidualSpectrum(
                self.spectrum(window.residual.features), uncancelled(self.grid, window.residual)
            )
        whole = self.spectrum(window.features, window.steered_response)
        return WindowSpectra(whole, window.activity, window.sound_age, residual)

    def spectrum(self, features: np.ndarray, response: np.ndarray | None = None) -> Spectrum:
        """Return the class probabilities for features of shape (channels, columns).

        Args:
            features: of a window.
            response: their steered response, where it is known already.
        """
        if self._steering is None:
            return self._card.spectrum(self._network(self._input.of(features, None)))
        if response is None or response.shape != self._steering.shape:
            response = self._steering.response(features)
        spectrum = self._card.spectrum(self._network(self._input.of(features, response)))
        azimuth, elevation = spectrum.azimuth, spectrum.elevation
        if self._card.srp_weight and self._card.multi_source:
            srp_phat = azimuth_probability(comparable(response, features))
            azimuth = self._mean_log_odds(azimuth, srp_phat)
        elif self._card.srp_weight:
            azimuth = self._product(azimuth, response.max(axis=0))
            if self._card.array is None and elevation is not None:
                # How elevations look with this array, the network has not learnt.
                there = self._at_elevations(response[:, azimuth.argmax()])
                elevation = self._product(elevation, there)
        coherence = float(response.max())
        return replace(spectrum, azimuth=azimuth, elevation=elevation, coherence=coherence)

    def _at_elevations(self, response: np.ndarray) -> np.ndarray:
        """Return a response, shape (rows,), at the elevation classes; -1 where no answer is."""
        assert self._steering is not None
        rows = self._steering.grid.elevations
        return np.interp(self.grid.elevations, rows, np.maximum(response, -1), left=-1)

    def _product(self, probability: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return the product of the network's probabilities and those of the response.

        The network tells sources from reflections, the response is exact.
        """
        # A class that int8 rounds to 0 is not impossible.
        product = (probability + HALF_STEP / len(probability)) * np.exp(
            self._card.srp_weight * (response - response.max())
        )
        return product / product.sum()

    def _mean_log_odds(self, probability: np.ndarray, srp_phat: np.ndarray) -> np.ndarray:
        """Return the probabilities of the weighted mean of both log-odds."""
        weight = self._card.srp_weight
        return special.expit((1 - weight) * logit(probability) + weight * logit(srp_phat))


def _check_sha256(file: Path, expected: str) -> None:
    if not file.is_file():
        raise ModelError(f'{file}: missing; the model needs this file, too')
    if hashlib.sha256(file.read_bytes()).hexdigest() != expected:
        raise ModelError(
            f'{file}: its SHA-256 is not the one in its card; the file is damaged or the card '
            'belongs to another model'
        )
