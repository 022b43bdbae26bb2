# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv

from training.tables import show_table


def test_a_table_is_printed_and_written(tmp_path, capsys):
    rows = [{'format': 'int8', 'file [KiB]': 57.1}, {'format': 'float32', 'file [KiB]': 181.0}]
    show_table(rows, 'models', tmp_path / 'all')
    printed = capsys.readouterr().out
    assert '[KiB]' in printed
    assert '181.0' in printed
    with (tmp_path / 'all.csv').open(encoding='utf-8') as file:
        assert list(csv.DictReader(file))[0] == {'format': 'int8', 'file [KiB]': '57.1'}
    assert '| int8 | 57.1 |' in (tmp_path / 'all.md').read_text(encoding='utf-8')


def test_a_table_can_be_printed_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    show_table([{'format': 'int8'}], 'models')
    assert 'int8' in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
