# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The Kalman filter, entry by entry, beside the matrices that its module gives."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.tracking.kalman import KalmanFilter, transition

_VARIANCES = st.floats(1e-3, 1.0)
_STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 2.0),  # step
        st.floats(0.0, 1.0),  # tau, as a share of the step
        st.floats(0.1, 1.0),  # phi
        st.floats(0.0, 2.0),  # acceleration
        st.floats(0.0, 1.0),  # rho
        st.floats(-1.0, 1.0),  # innovation
        _VARIANCES,
        st.floats(1.0, 10.0),  # inflation
        st.floats(0.0, 0.5),  # added variance
    ),
    max_size=20,
)
_H = np.array([[1.0, 0.0, 1.0]])


def _covariance(f):
    return np.array([[f.p_aa, f.p_av, f.p_ae], [f.p_av, f.p_vv, f.p_ve], [f.p_ae, f.p_ve, f.p_ee]])


@given(_VARIANCES, st.floats(0.0, 4.0), st.floats(0.01, 1.0), _STEPS)
def test_the_entries_are_those_of_the_matrices(variance, velocity_variance, w, steps):
    kalman = KalmanFilter(variance, velocity_variance, w)
    x, p = np.zeros(3), _covariance(kalman)
    # The track begins at the observation: of its error, none but the white part can be told.
    assert (_H @ p @ _H.T).item() == pytest.approx(w * variance)
    for step, share, phi, acceleration, rho, innovation, new, inflation, added in steps:
        tau = share * step
        f = np.array([[1, tau, 0], [0, phi, 0], [0, 0, rho]])
        q = acceleration**2 * np.array(
            [[step**3 / 3, step**2 / 2, 0], [step**2 / 2, step, 0], [0, 0, 0]]
        )
        q[2, 2] = (1 - rho**2) * (1 - w) * variance
        x, p = f @ x, f @ p @ f.T + q
        move, density = transition(step, tau, phi), acceleration**2
        ahead = kalman.extrapolate(move, density)
        arc = kalman.predict(move, density, rho)
        assert ahead == pytest.approx((x[0], x[1], p[0, 0], p[1, 1]))
        np.testing.assert_allclose([arc, kalman.velocity, kalman.error], x, atol=1e-9)
        np.testing.assert_allclose(_covariance(kalman), p, rtol=1e-9, atol=1e-9)

        variance = new
        hph = _H @ p @ _H.T
        assert kalman.predicted_variance() == pytest.approx(hph.item(), abs=1e-12)
        s = inflation * (hph + w * variance) + added
        k = p @ _H.T / s
        x, p = x + k[:, 0] * innovation, p - k @ s @ k.T
        arc = kalman.update(innovation, variance, inflation, added)
        np.testing.assert_allclose(
            [ahead.arc + arc, kalman.velocity, kalman.error], x, rtol=1e-9, atol=1e-9
        )
        np.testing.assert_allclose(_covariance(kalman), p, rtol=1e-7, atol=1e-9)
        # The tangent plane goes with the talker.
        x[0] = 0.0
