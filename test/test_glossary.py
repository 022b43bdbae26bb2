# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The glossary: every term once, in alphabetical order, where readers find it."""

import re

import pytest

from doa_ros.resources import config_directory

ROOT = config_directory().parent
GLOSSARY = (ROOT / 'docs/glossary.md').read_text(encoding='utf-8')
TERMS = re.findall(r'^\*\*([^*]+)\*\*: \S', GLOSSARY, re.MULTILINE)


def test_every_paragraph_is_a_term():
    assert len(TERMS) == len(GLOSSARY.strip().split('\n\n')) - 1


def test_every_term_stands_once_in_alphabetical_order():
    names = [term.casefold() for term in TERMS]
    assert names == sorted(set(names))


@pytest.mark.parametrize('document', ['README.md', 'CONTRIBUTING.md'])
def test_documents_link_to_it(document):
    assert '(docs/glossary.md)' in (ROOT / document).read_text(encoding='utf-8')


@pytest.mark.parametrize(
    'term',
    ['GCC-PHAT', 'SRP-PHAT', 'TDOA', 'hop', 'window', 'noise floor', 'HMM filter', 'calibration'],
)
def test_what_parameters_and_cards_name_is_explained(term):
    assert term in TERMS
