# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The Kalman filter of a talker's motion along one axis, east or north, of the tangent plane.

Nearly constant velocity and measurement errors that are correlated in time, by a state that holds
the error, too: Y. Bar-Shalom, X. Li and T. Kirubarajan, "Estimation with Applications to Tracking
and Navigation", Wiley, 2001, chapters 5 (the filter), 6 (motion) and 8 (correlated noise).

State and covariance::

        | arc      | [rad]            | P_aa  P_av  P_ae |
    x = | velocity | [rad/s]      P = | P_av  P_vv  P_ve |
        | error    | [rad]            | P_ae  P_ve  P_ee |

The arc is measured from the point where the tangent plane touches the sphere. The plane moves with
the talker: the arc is 0 after each step, and each step returns by how much to move the plane.

Prediction, x = F x and P = F P F^T + Q, with `Transition`, rho = error_factor and q = density::

        | 1  tau  0   |          | q n_aa  q n_av  0                             |
    F = | 0  phi  0   |      Q = | q n_av  q n_vv  0                             |
        | 0  0    rho |          | 0       0       (1 - rho^2) (1 - w) variance  |

Update with an observation z = H x + v, v of variance R::

    H = | 1  0  1 |
    R = w variance                          w: white_share of the variance of an observation
    S = H P H^T + R                         innovation variance
    K = P H^T / S                           gain
    x = x + K (z - H x)
    P = P - K S K^T

The entries are written out: numpy needs many times as long for matrices of three rows, and a
tracker runs on the robot's computer beside everything else. A test compares them with the
matrices.
"""

from typing import NamedTuple


class Transition(NamedTuple):
    """The entries of F and Q for arc and velocity in a step of a motion with white acceleration.

    Attributes:
        tau: arc covered per velocity [s]; the duration T where the velocity is constant.
        phi: factor of the velocity; 1 where it is constant.
        n_aa, n_av, n_vv: process noise per spectral density of the acceleration, T^3/3, T^2/2
            and T [s^3, s^2, s].
    """

    tau: float
    phi: float
    n_aa: float
    n_av: float
    n_vv: float


def transition(step: float, tau: float, phi: float) -> Transition:
    """Return the transition of a step.

    Args:
        step: its duration T [s].
        tau, phi: see `Transition`.
    """
    return Transition(tau, phi, step**3 / 3, step**2 / 2, step)


class Extrapolation(NamedTuple):
    """State of one axis after a step that is not taken.

    Attributes:
        arc: covered by the step [rad].
        velocity: after it [rad/s].
        arc_variance, velocity_variance: [rad^2], [rad^2/s^2].
    """

    arc: float
    velocity: float
    arc_variance: float
    velocity_variance: float


class KalmanFilter:
    """State and covariance of one axis.

    Args:
        variance: of the observation with which the track begins [rad^2].
        velocity_variance: of the velocity, whose mean is 0 [rad^2/s^2].
        white_share: share w of the variance of an observation that is white noise, 0..1.

    Attributes:
        velocity: [rad/s].
        error: the part of the latest observation's error that is correlated with that of the next
            one [rad].
        p_aa, p_av, p_ae, p_vv, p_ve, p_ee: entries of the covariance P; arcs and errors count in
            rad, velocities in rad/s.
    """

    __slots__ = (
        '_correlated_variance',
        '_white_share',
        'error',
        'p_aa',
        'p_ae',
        'p_av',
        'p_ee',
        'p_ve',
        'p_vv',
        'velocity',
    )

    def __init__(self, variance: float, velocity_variance: float, white_share: float):
        self._white_share, self._correlated_variance = white_share, (1 - white_share) * variance
        self.velocity = self.error = 0.0
        self.p_aa, self.p_vv, self.p_ee = variance, velocity_variance, self._correlated_variance
        # The track begins where the observation is: what is wrong with it is wrong with the arc.
        self.p_ae = -self.p_ee
        self.p_av = self.p_ve = 0.0

    def extrapolate(self, transition: Transition, density: float) -> Extrapolation:
        """Return where a step leads, without taking it.

        Args:
            transition, density: as in `predict`.
        """
        tau, phi, n_aa, _, n_vv = transition
        velocity, p_vv = self.velocity, self.p_vv
        return Extrapolation(
            tau * velocity,
            phi * velocity,
            self.p_aa + density * n_aa + tau * (2 * self.p_av + tau * p_vv),
            phi * phi * p_vv + density * n_vv,
        )

    def predict(self, transition: Transition, density: float, error_factor: float) -> float:
        """Take a step in time and return the arc covered [rad].

        Args:
            transition: of arc and velocity.
            density: q, spectral density of the acceleration [rad^2/s^3].
            error_factor: rho, by which the correlated error decays, 0..1.
        """
        tau, phi, n_aa, n_av, n_vv = transition
        rho, rho_squared = error_factor, error_factor * error_factor
        velocity, p_av, p_vv, p_ve = self.velocity, self.p_av, self.p_vv, self.p_ve
        covered = tau * p_vv
        self.velocity = phi * velocity
        self.error *= rho
        self.p_aa += density * n_aa + tau * (2 * p_av + covered)
        self.p_av = phi * (p_av + covered) + density * n_av
        self.p_ae = rho * (self.p_ae + tau * p_ve)
        self.p_vv = phi * phi * p_vv + density * n_vv
        self.p_ve = rho * phi * p_ve
        self.p_ee = rho_squared * self.p_ee + (1 - rho_squared) * self._correlated_variance
        return tau * velocity

    def predicted_variance(self) -> float:
        """Return H P H^T, the variance of an observation without its white noise [rad^2]."""
        return self.p_aa + 2 * self.p_ae + self.p_ee

    def update(
        self, innovation: float, variance: float, inflation: float, added_variance: float
    ) -> float:
        """Take in an observation and return the arc to go [rad].

        Args:
            innovation: z - H x [rad].
            variance: of the observation [rad^2].
            inflation: factor of S, 1 or more, for an observation that is less certain than R says.
            added_variance: is added to S after that [rad^2].
        """
        white_variance = self._white_share * variance
        self._correlated_variance = variance - white_variance
        # P H^T, and the gain.
        ph_a = self.p_aa + self.p_ae
        ph_v = self.p_av + self.p_ve
        ph_e = self.p_ae + self.p_ee
        s = inflation * (ph_a + ph_e + white_variance) + added_variance
        k_a, k_v, k_e = ph_a / s, ph_v / s, ph_e / s
        self.velocity += k_v * innovation
        self.error += k_e * innovation
        # K S K^T is K times the transpose of P H^T. Rounding must not make variances negative.
        p_aa, p_vv = self.p_aa - k_a * ph_a, self.p_vv - k_v * ph_v
        self.p_aa = p_aa if p_aa > 0 else 0.0
        self.p_vv = p_vv if p_vv > 0 else 0.0
        self.p_ee -= k_e * ph_e
        self.p_av -= k_a * ph_v
        self.p_ae -= k_a * ph_e
        self.p_ve -= k_v * ph_e
        return k_a * innovation
