# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that cannot be written are found out first; those that can are whole."""

import os
from pathlib import Path
import re
import shutil

import pytest

from doa_ros.cli.output_file import OutputFile
from doa_ros.core.errors import DoaError


def test_nothing_is_left_before_it_is_written(tmp_path):
    file = OutputFile(tmp_path / 'new')
    assert list(tmp_path.iterdir()) == []
    file.write(b'content')
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [('new', b'content')]


def test_what_is_there_is_replaced_as_a_whole(tmp_path):
    path, link = tmp_path / 'old', tmp_path / 'link'
    path.write_bytes(b'a longer content')
    path.chmod(0o640)
    link.symlink_to(path)
    with path.open('rb') as reader:
        OutputFile(link).write(b'content')
        # Who has it open reads what it was.
        assert reader.read() == b'a longer content'
    assert link.is_symlink() and path.read_bytes() == b'content'
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ['link', 'old']


def test_a_name_that_is_given_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    OutputFile(Path('new')).write(b'')
    assert (tmp_path / 'new').exists()


def test_a_pipe_is_written_to():
    reader, writer = os.pipe()
    OutputFile(Path(f'/dev/fd/{writer}')).write(b'content')
    assert os.read(reader, 100) == b'content'
    os.close(reader), os.close(writer)


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('', 'it is a folder; name a file'),
        ('missing/x', 'there is no folder .*/missing'),
        ('file/x', 'Not a directory'),
        ('/proc/x', 'No such file or directory'),
        ('x' * 300, 'File name too long'),
        ('loop', 'Too many levels of symbolic links'),
    ],
)
def test_what_cannot_be_written_is_said_at_once(tmp_path, name, reason):
    (tmp_path / 'file').touch()
    (tmp_path / 'loop').symlink_to('loop')
    path = tmp_path / name
    with pytest.raises(DoaError, match=rf'{re.escape(str(path))}: cannot be written \({reason}'):
        OutputFile(path)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
@pytest.mark.parametrize('locked', ['file', 'folder'])
def test_where_nobody_may_write(tmp_path, locked):
    path = tmp_path / 'file'
    path.touch()
    {'file': path, 'folder': tmp_path}[locked].chmod(0o500)
    try:
        with pytest.raises(DoaError, match='Permission denied'):
            OutputFile(path)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize('name', ['new', 'old'])
def test_a_disk_that_is_full_in_the_end_leaves_what_was_there(tmp_path, name, monkeypatch):
    (tmp_path / 'old').write_bytes(b'old')
    file = OutputFile(tmp_path / name)

    def copyfileobj(stream, file):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(shutil, 'copyfileobj', copyfileobj)
    with pytest.raises(DoaError, match=rf'{name}: cannot be written \(No space left on device'):
        file.write(b'new')
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [('old', b'old')]
