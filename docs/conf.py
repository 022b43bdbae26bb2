# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sphinx makes pages of this folder: `make docs`."""

from pathlib import Path
import xml.etree.ElementTree as ElementTree

_ROOT = Path(__file__).resolve().parents[1]

project = 'doa_ros'
author = 'doa_ros contributors'
version = ElementTree.parse(_ROOT / 'package.xml').getroot().findtext('version')

extensions = ['myst_parser']
myst_heading_anchors = 4
nitpicky = True

html_theme = 'furo'
html_title = 'doa_ros'
# A page of files works without a server and without a network.
html_show_sphinx = False
html_copy_source = False
