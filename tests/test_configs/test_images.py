"""The images of each recipe: their augmentation and normalisation, against the official codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltkit.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CROP_AND_FLIP = ['RandomResizedCrop', 'RandomHorizontalFlip']
WITH_JITTER = [*CROP_AND_FLIP, 'ColorJitter']
IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
INATURALIST = [0.466, 0.471, 0.380], [0.195, 0.194, 0.192]
RECIPES = {
    'erm/rx50_imagenet_lt': (WITH_JITTER, IMAGENET),
    'decouple/crt_rx50_imagenet_lt_classifier': (WITH_JITTER, IMAGENET),
    'erm/r152_places_lt': (WITH_JITTER, IMAGENET),
    'oltr/r152_places_lt_classifier': (WITH_JITTER, IMAGENET),
    'erm/r50_inaturalist2018': (CROP_AND_FLIP, INATURALIST),
    'ride/r50_inaturalist2018': (CROP_AND_FLIP, INATURALIST),
    'decouple/r50_inaturalist2018_representation': (CROP_AND_FLIP, INATURALIST),
    'decouple/crt_r50_inaturalist2018_classifier': (CROP_AND_FLIP, INATURALIST),
    'mislas/r50_inaturalist2018_representation': (WITH_JITTER, INATURALIST),
    'mislas/r50_inaturalist2018_classifier': (WITH_JITTER, INATURALIST),
    'bbn/r50_inaturalist2018': (CROP_AND_FLIP, IMAGENET),
}


def steps_of(loader) -> list[str]:
    names = [step.type for step in loader.dataset.pipeline]
    assert (names[0], names[-1]) == ('LoadImage', 'PackInputs')
    return [name.removeprefix('torchvision/') for name in names[1:-1]]


@pytest.mark.parametrize('name', RECIPES)
def test_augmentation_and_normalisation(name: str) -> None:
    augmentation, (mean, std) = RECIPES[name]
    cfg = load_config(CONFIGS / f'{name}.py')
    assert steps_of(cfg.train_dataloader) == augmentation
    jitter = cfg.train_dataloader.dataset.pipeline[3]
    assert augmentation is CROP_AND_FLIP or (jitter.brightness, jitter.contrast, jitter.saturation) == (0.4, 0.4, 0.4)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert steps_of(loader) == ['Resize', 'CenterCrop']
    assert cfg.data_preprocessor.mean == pytest.approx([255 * value for value in mean])
    assert cfg.data_preprocessor.std == pytest.approx([255 * value for value in std])


def test_the_class_means_are_of_images_without_augmentation() -> None:
    """As the official code takes them."""
    for name in ('rx50_imagenet_lt', 'r152_places_lt', 'r50_inaturalist2018'):
        cfg = load_config(CONFIGS / f'decouple/ncm_{name}_classifier.py')
        assert steps_of(cfg.train_dataloader) == ['Resize', 'CenterCrop']
