# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Scenes as a robot meets them in the world, in families: one file for each.

To add a scene, add a `Situation` to a family. To add a family, add its file and an entry in
FAMILIES.
"""

from .directional_noise import DIRECTIONAL_NOISE
from .phantom_talkers import PHANTOM_TALKERS
from .places_and_arrays import PLACES_AND_ARRAYS
from .sounds_and_silence import SOUNDS_AND_SILENCE
from .walls import WALLS

# In the order of the report.
FAMILIES = (DIRECTIONAL_NOISE, PHANTOM_TALKERS, WALLS, SOUNDS_AND_SILENCE, PLACES_AND_ARRAYS)
