"""The proof on the page."""

from __future__ import annotations

from ltkit.apis.benchmark.page_sections import commit_of, evidence_section, published_section
from ltkit.apis.benchmark.published import compare


def test_evidence_names_what_made_a_run(data):
    failed = data.record('ours', 2, None, status='failed', error='exit status 1; last line: <nan>')
    text = evidence_section([*data.records(), failed])
    for part in ('python tools/train.py ours.py', 'runs/x/train.log', '0123456789-dirty', 'a GPU', 'cccccccccccc',
                 'balanced', 'unverified', '13 runs', 'ours, imbalance factor 100, seed 2, long-tailed',
                 'exit status 1; last line: &lt;nan&gt;'):
        assert part in text, part
    assert 'What failed' not in evidence_section(data.records())
    assert 'other code' in evidence_section([data.record('ours', 0, 1.0, other_code=True, resumed=True)])


def test_commit():
    assert commit_of({}) == '-' and commit_of(dict(commit='0123456789abcdef')) == '0123456789'


def test_published():
    rows = [dict(method='RIDE', factor=None, measured_factor=None,
                 metrics=dict(top1=dict(mean=60.0, std=0.5, n=3)))]
    names = ['survey_imagenet_lt_90e']
    text = published_section(dict(published_sets=names, published=compare(rows, names), rows=rows))
    assert 'off' in text and '+4.50' in text and '55.5' in text and 'survey, Table 4' in text and '60.00' in text
    assert 'No figure of' not in text
    assert '6 figures of these methods, 1 of them' in text and 'unverified' in text
    assert 'no published figures' in published_section(dict(published_sets=[], published=[]))


def test_a_method_without_published_figures_is_named():
    rows = [dict(method='CE & <mine>', factor=None, measured_factor=None, metrics={})]
    names = ['survey_imagenet_lt_90e']
    text = published_section(dict(published_sets=names, published=compare(rows, names), rows=rows))
    assert 'No figure of CE &amp; &lt;mine&gt; with these' in text and 'this set has ERM; ' in text
