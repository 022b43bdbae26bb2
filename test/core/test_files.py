# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from doa_ros.core.files import write_whole


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path, link = tmp_path / 'a.yaml', tmp_path / 'link.yaml'
    write_whole(path, b'first')
    link.symlink_to(path)
    write_whole(link, b'second')
    assert link.is_symlink() and path.read_bytes() == b'second'
    assert sorted(os.listdir(tmp_path)) == ['a.yaml', 'link.yaml']


@pytest.mark.parametrize('error', [OSError('no space left'), KeyboardInterrupt()])
def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch, error):
    path = tmp_path / 'a.yaml'
    write_whole(path, b'first')

    def write_half(self, content):
        with self.open('wb') as file:
            file.write(content[:2])
        raise error

    monkeypatch.setattr(Path, 'write_bytes', write_half)
    with pytest.raises(type(error)):
        write_whole(path, b'second')
    assert path.read_bytes() == b'first' and os.listdir(tmp_path) == ['a.yaml']
