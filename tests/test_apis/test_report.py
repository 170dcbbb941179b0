"""Tests of the table at the end of a run."""

from __future__ import annotations

from ltkit.apis import final_table

RESULTS = dict(split='val', epoch=3, seconds=12.34, thresholds='many > 40, few < 10 training samples',
               metrics={'accuracy/few': 1.0, 'accuracy/top1': 48.123, 'calibration/ece': 5.0, 'time': 3.0,
                        'data_time': 1.0, 'accuracy/many': 100.0, 'confusion': [[1]]})


def test_columns_in_the_order_of_the_field():
    heads, cells, caption = final_table(RESULTS).splitlines()
    assert heads.split() == ['top-1', 'many', 'few', 'ECE']
    assert cells.split() == ['48.12', '100.00', '1.00', '5.00']
    assert len(heads) == len(cells)
    assert caption == 'val set after 3 epochs; many > 40, few < 10 training samples; trained in 12.3 s'


def test_what_is_not_known_is_left_out():
    assert final_table(dict(metrics={'accuracy/top1': 1.0}, split='test', epoch=7)).splitlines()[-1] == \
        'test set after 7 epochs'


def test_what_does_not_fit_the_screen_goes_below():
    metrics = {'accuracy/top1': 48.0, 'accuracy/many': 96.2, 'calibration/ece': 22.76, 'mine/a_long_name': 1}
    table = final_table(dict(metrics=metrics, split='val', epoch=3), width=20)
    assert table.splitlines() == ['top-1   many    ECE', '48.00  96.20  22.76',
                                  'a_long_name', '       1.00', 'val set after 3 epochs']
    assert len(final_table(dict(metrics=metrics), width=200).splitlines()) == 3
