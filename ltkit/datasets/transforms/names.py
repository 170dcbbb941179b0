"""The torchvision transforms that take one image and give one."""

TORCHVISION_TRANSFORMS = (
    'AugMix', 'AutoAugment', 'CenterCrop', 'ColorJitter', 'ElasticTransform', 'GaussianBlur', 'Grayscale',
    'Pad', 'RandAugment', 'RandomAdjustSharpness', 'RandomAffine', 'RandomAutocontrast', 'RandomCrop',
    'RandomEqualize', 'RandomGrayscale', 'RandomHorizontalFlip', 'RandomInvert', 'RandomPerspective',
    'RandomPosterize', 'RandomResizedCrop', 'RandomRotation', 'RandomSolarize', 'RandomVerticalFlip',
    'Resize', 'TrivialAugmentWide')
