"""Tests of finding the configs with stages."""

from __future__ import annotations

from ltkit.testing.config_tree import stage_parts, states_stages

STAGED = """\
stages = [
    dict(name='representation', config='../erm/r8.py'),
    dict(name='warm', config='alone.py', load_from='representation'),
    dict(
        name='classifier',
        config='r8_classifier.py',
        load_from='warm'),
]
"""


def test_parts_are_the_stages_of_a_folder_that_are_named_after_their_stage(tmp_path):
    (tmp_path / 'r8.py').write_text(STAGED)
    for name in ('alone', 'r8_classifier', 'other_classifier'):
        (tmp_path / f'{name}.py').write_text("_base_ = '../erm/r8.py'\n# stages = none\n")
    assert stage_parts(tmp_path) == {tmp_path / 'r8_classifier.py'}
    assert states_stages(tmp_path / 'r8.py') and not states_stages(tmp_path / 'alone.py')
