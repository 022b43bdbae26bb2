# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Packages that only some verbs need, and how they are installed."""

# Extra of the package by module; whatever else is missing is part of `training`.
_EXTRAS = {
    'distributed': 'cluster',
    'openvino': 'openvino',
    'rosbags': 'bags',
}


def missing(error: ImportError) -> str:
    """Return in one sentence what is missing, and what to do."""
    module = (error.name or str(error)).partition('.')[0]
    extra = _EXTRAS.get(module, 'training')
    return (
        f"{module} is not installed; try: pip install 'doa_ros[{extra}]' "
        '(in a checkout: scripts/setup.sh training)'
    )
