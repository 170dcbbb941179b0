"""Tests of predicting the class of images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ltkit.apis import Inferencer, image_files
from ltkit.apis import test as run_test
from ltkit.registry import DATASETS
from ltkit.utils.errors import CheckpointError, ConfigError, DataError

SHORT = 'train_cfg = dict(max_epochs=3, val_interval=3)\n'


@pytest.fixture
def trained(small_run):
    small_run.runner(SHORT).train()
    return small_run.load(SHORT), str(small_run.folder / 'run' / 'epoch_3.pth')


def _save_test_images(cfg, folder, count: int) -> list[int]:
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset))
    folder.mkdir()
    for index in range(count):
        item = dataset[index]
        array = item['inputs'].numpy().transpose(1, 2, 0).squeeze(-1).astype(np.uint8)
        Image.fromarray(array).save(folder / f'{index:03d}.png')
    return [int(dataset[index]['data_samples'].gt_label) for index in range(count)]


def test_files_are_classified_as_the_test_set_is(trained, small_run):
    """The same images through files give the accuracy that the test gives."""
    cfg, checkpoint = trained
    folder = small_run.folder / 'images'
    labels = _save_test_images(cfg, folder, 700)
    predictions = list(Inferencer(cfg, checkpoint)(image_files(str(folder)), batch_size=64, topk=3))
    assert [p['path'] for p in predictions] == image_files(str(folder))
    correct = 100 * np.mean([p['label'] == label for p, label in zip(predictions, labels)])
    tested = run_test(small_run.load(SHORT), checkpoint)
    assert correct == pytest.approx(tested['metrics']['accuracy/top1'])
    for prediction in predictions:
        scores = [top['score'] for top in prediction['top']]
        assert len(scores) == 3 and scores == sorted(scores, reverse=True)
        assert prediction['label'] == prediction['top'][0]['label']
        assert prediction['class_name'] == prediction['top'][0]['class_name']


def test_images_of_another_size_and_mode(trained, small_run):
    cfg, checkpoint = trained
    for name, mode, size in (('a.jpg', 'RGB', (31, 17)), ('b.png', 'RGBA', (8, 8)), ('c.bmp', 'L', (4, 4))):
        Image.new(mode, size).save(small_run.folder / name)
    files = image_files(str(small_run.folder))
    assert [path.rsplit('/', 1)[-1] for path in files] == ['a.jpg', 'b.png', 'c.bmp']
    found = list(Inferencer(cfg, checkpoint)(files, topk=99))
    assert all(len(prediction['top']) == 10 for prediction in found)
    assert sum(top['score'] for top in found[0]['top']) == pytest.approx(1, abs=1e-5)


def test_broken_image_is_named(trained, small_run):
    cfg, checkpoint = trained
    (small_run.folder / 'broken.png').write_bytes(b'not an image')
    with pytest.raises(DataError, match=r'broken\.png'):
        list(Inferencer(cfg, checkpoint)([str(small_run.folder / 'broken.png')]))


def test_nothing_to_classify(tmp_path):
    with pytest.raises(DataError, match='no image or folder at'):
        image_files(str(tmp_path / 'none'))
    (tmp_path / 'notes.txt').write_text('')
    with pytest.raises(DataError, match=r'no image in .*; looked for \.jpg'):
        image_files(str(tmp_path))
    (tmp_path / 'x.PNG').write_bytes(b'')
    assert image_files(str(tmp_path)) == [str(tmp_path / 'x.PNG')]


def test_wrong_checkpoint_and_config(trained, small_run):
    cfg, checkpoint = trained
    with pytest.raises(CheckpointError, match='another model'):
        Inferencer(small_run.load("model = dict(head=dict(num_classes=7))"), checkpoint)
    cfg.test_dataloader = None
    with pytest.raises(ConfigError, match='no test_dataloader'):
        Inferencer(cfg, checkpoint)
