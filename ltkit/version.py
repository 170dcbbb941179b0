"""The version of ltkit, read by ``setup.py`` and printed in every log."""

__version__ = '0.1.0.dev0'
