# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What Keras and TensorFlow read when they are imported, so that all accounts train alike."""

import json
import os
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def prepare() -> list[str]:
    """Set what our networks need in the place of what the user's files and variables ask for.

    It counts where Keras is imported later, in this process and those that it starts.

    Returns:
        What they asked for and do not get, in words.
    """
    needed = json.loads((_FOLDER / 'keras.json').read_text(encoding='utf-8'))
    # Unlike Path.expanduser, this leaves the home of an unknown user as it is.
    theirs = Path(os.path.expanduser(os.environ.get('KERAS_HOME', '~/.keras'))) / 'keras.json'
    left_out = [
        f'{name} {value} of {theirs}'
        for name, value in _read(theirs).items()
        if name in needed and value != needed[name]
    ]
    backend = os.environ.get('KERAS_BACKEND') or needed['backend']
    if backend != needed['backend']:
        left_out.append(f'KERAS_BACKEND={backend}')
    # Keras looks for its keras.json there.
    os.environ['KERAS_HOME'] = str(_FOLDER)
    os.environ['KERAS_BACKEND'] = needed['backend']
    # TensorFlow's converter takes our networks as what they are, whatever else is installed.
    os.environ.pop('TF_USE_LEGACY_KERAS', None)
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
    return left_out


def _read(path: Path) -> dict:
    """Return the content of a user's file; of one that cannot be read, nothing is asked for."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
