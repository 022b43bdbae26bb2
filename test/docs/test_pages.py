# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The documents become pages without a warning, and the pages need nothing from elsewhere."""

from html.parser import HTMLParser
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_DOCUMENTS = [_ROOT / 'README.md', _ROOT / 'CONTRIBUTING.md', *(_ROOT / 'docs').rglob('*.md')]
# What a browser loads by itself, in contrast to what people follow.
_LOADED = {'script', 'link', 'img', 'iframe', 'source', 'video', 'audio', 'object', 'embed'}


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    """The folder of the pages."""
    pytest.importorskip('myst_parser', reason='scripts/setup.sh docs installs what makes pages')
    out = tmp_path_factory.mktemp('pages')
    done = subprocess.run(
        [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', 'docs', str(out)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, '')
    return out


class _Loaded(HTMLParser):
    """Collects the addresses that a page loads."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in _LOADED and 'canonical' not in given.get('rel', ''):
            self.addresses += [given[a] for a in ('src', 'href', 'data') if given.get(a)]


def test_pages_load_nothing_from_elsewhere(pages):
    html = list(pages.rglob('*.html'))
    assert len(html) > 15
    for page in html:
        parser = _Loaded()
        parser.feed(page.read_text(encoding='utf-8'))
        assert parser.addresses
        for address in parser.addresses:
            # An absolute path would need a server.
            assert not re.match(r'[a-z]+:|/', address), (page, address)
            assert (page.parent / re.split('[?#]', address)[0]).exists(), (page, address)
    for style in pages.rglob('*.css'):
        assert not re.search(r'(url\(|@import)\s*["\']?(https?:)?//', style.read_text()), style


def test_every_document_has_a_page(pages):
    for document in (_ROOT / 'docs').rglob('*.md'):
        page = document.relative_to(_ROOT / 'docs').with_suffix('.html')
        assert (pages / page).exists()


def test_the_readme_is_one_screen_and_a_bit():
    assert len((_ROOT / 'README.md').read_text(encoding='utf-8').splitlines()) <= 150


@pytest.mark.parametrize('document', _DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_to_files_on_a_code_host_too(document):
    targets = re.findall(r'\]\((?!https?:|#)([^)#\s]+)', document.read_text(encoding='utf-8'))
    missing = [t for t in targets if not os.path.exists(document.parent / t)]
    assert missing == []


def test_messages_that_troubleshooting_quotes_are_those_of_the_code():
    page = (_ROOT / 'docs' / 'troubleshooting.md').read_text(encoding='utf-8')
    quoted = re.findall(r'^\| `([^`]+)` \|', page, re.MULTILINE)
    assert len(quoted) > 8
    files = [*(_ROOT / 'doa_ros').rglob('*.py'), *(_ROOT / 'launch').iterdir(), _ROOT / 'env.sh']
    texts = [path.read_text(encoding='utf-8') for path in files if path.is_file()]
    # A sentence goes on in the next string.
    said = re.sub(r"'\n\s*f?'", '', '\n'.join(texts))
    parts = [part.strip() for message in quoted for part in message.split('...') if part.strip()]
    assert [part for part in parts if part not in said] == []
