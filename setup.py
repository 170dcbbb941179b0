"""Packaging of ltkit. Versions here are ranges; ``requirements/`` has those that were tried."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def version() -> str:
    scope: dict = {}
    exec((ROOT / 'ltkit' / 'version.py').read_text(encoding='utf-8'), scope)
    return scope['__version__']


setup(
    name='ltkit',
    version=version(),
    description='The toolkit for deep long-tailed learning, in the mmengine style',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['ltkit', 'ltkit.*']),
    package_data={'ltkit': ['datasets/splits/*', 'apis/benchmark/assets/*', 'apis/benchmark/published/*',
                            '.mim/**/*', '.mim/*']},
    install_requires=[
        'addict>=2.4',
        'matplotlib>=3.7',
        'numpy>=1.26',
        'onedl-mmcv>=2.3',
        'onedl-mmengine>=0.10.12',
        'onedl-mmpretrain>=1.3',
        'pillow>=10',
        'rich>=13',
        'scikit-learn>=1.3',
        'torch>=2.6',
        'torchvision>=0.21',
    ],
    extras_require={
        'det': ['faster-coco-eval>=1.6'],
        'foundation': ['open-clip-torch>=2.24', 'timm>=1.0'],
        'dev': ['pre-commit>=3', 'pytest>=8', 'pytest-xdist>=3', 'ruff>=0.6'],
    },
    classifiers=[
        'License :: OSI Approved :: Apache Software License',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
