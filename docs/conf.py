# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sphinx makes pages of this folder: `make docs`."""

from pathlib import Path
import sys
import xml.etree.ElementTree as ElementTree

_ROOT = Path(__file__).resolve().parents[1]
# The API is that of this checkout, whether it is installed or not.
sys.path.insert(0, str(_ROOT))

project = 'doa_ros'
author = 'doa_ros contributors'
# rosdoc2 knows it, and runs this file from a folder of its own.
if (_manifest := _ROOT / 'package.xml').exists():
    version = ElementTree.parse(_manifest).getroot().findtext('version')

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
myst_heading_anchors = 4
autodoc_member_order = 'bysource'
# Lines such as "azimuth, elevation: [rad]" describe two at once.
napoleon_use_param = napoleon_use_rtype = False
napoleon_custom_sections = [('Attributes', 'params_style')]
# Options begin with two hyphens.
smartquotes = False
nitpicky = True
# Whose pages are elsewhere.
nitpick_ignore_regex = [
    (r'py:.*', r'(abc|collections|dataclasses|enum|numpy|pathlib|typing|yaml)\..*'),
]

html_theme = 'furo'
html_title = 'doa_ros'
html_show_sphinx = False
html_copy_source = False
