# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of doa_ros that needs no ROS, for `pip install .`; colcon uses CMakeLists.txt."""

from pathlib import Path
import xml.etree.ElementTree as ElementTree

from setuptools import find_packages, setup

_ROOT = Path(__file__).resolve().parent


_EXTRAS = ('display', 'training', 'cluster', 'openvino', 'bags', 'foxglove')
# The dashboard shows what nodes hear, and has no use without them.
_ROOMS = ('conversions', 'markers', 'nodes', 'dashboard', 'launching')
_NEEDS_ROS = [f'doa_ros.{room}*' for room in _ROOMS]


def _requirements(group: str) -> list[str]:
    lines = (_ROOT / 'requirements' / f'{group}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def _manifest(key: str) -> str:
    text = ElementTree.parse(_ROOT / 'package.xml').getroot().findtext(key)
    assert text is not None, f'package.xml has no <{key}>'
    return text


setup(
    name=_manifest('name'),
    version=_manifest('version'),
    description='Direction of arrival of sound from a microphone array',
    license='Apache-2.0',
    python_requires='>=3.11',
    packages=[
        *find_packages(include=['doa_ros', 'doa_ros.*'], exclude=_NEEDS_ROS),
        'doa_ros.config',
        'doa_ros.training',
        *(f'doa_ros.training.{name}' for name in find_packages('training')),
    ],
    package_dir={'doa_ros.config': 'config', 'doa_ros.training': 'training'},
    package_data={
        'doa_ros': ['py.typed'],
        'doa_ros.config': ['**/*'],
        'doa_ros.training': ['keras.json', 'py.typed'],
        'doa_ros.training.evaluation.report': ['templates/*'],
    },
    install_requires=_requirements('runtime'),
    extras_require={extra: _requirements(extra) for extra in _EXTRAS},
    entry_points={
        'console_scripts': [
            'doa-check=doa_ros.command:doa_check',
            'doa-extract=doa_ros.command:doa_extract',
            'doa-locate=doa_ros.command:doa_locate',
            'doa-train=doa_ros.training.__main__:command_line',
        ]
    },
)
