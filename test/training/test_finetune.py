# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import yaml

from training.runs import load_run
from training.settings import load_settings


def test_the_verb_leaves_a_run(run_verb, trained, recordings, data, tmp_path, capsys):
    settings = tmp_path / 'gentle.yaml'
    content = {'array': 'uma8', 'finetune': {'epochs': 1, 'steps': 2, 'mode': 'head'}}
    settings.write_text(yaml.safe_dump(content), encoding='utf-8')
    out = tmp_path / 'out'
    run_verb('finetune', '--run', trained, '--recordings', recordings, '--data', data,
             '--out', out, '--settings', settings)  # fmt: skip
    assert load_settings(out / 'settings.yaml').finetune.steps == 2
    assert load_settings(out / 'settings.yaml').train.epochs == 3
    assert (out / 'curves.png').stat().st_size > 5000 and (out / 'history.csv').is_file()
    text = capsys.readouterr().out
    assert 'recordings held out, after' in text and 'simulated val split, before' in text
    assert '"recordings held out, after",' in (out / 'finetune.csv').read_text(encoding='utf-8')
    assert load_run(out)[0].count_params() == load_run(trained)[0].count_params()
