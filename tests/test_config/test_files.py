"""The files of a config: missing, broken, in a circle, of a package."""

from __future__ import annotations

import pytest

from ltkit.config import load_config, read_files
from ltkit.utils import ConfigError


def error_of(path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert '\n' not in str(caught.value)
    return str(caught.value)


def test_missing_file_suggests_a_neighbour(write, base):
    assert error_of('bas.py') == "config file bas.py does not exist; did you mean 'base.py'?"
    assert 'there is no folder nowhere' in error_of('nowhere/x.py')


def test_missing_base_names_child_and_line(write, base):
    message = error_of(
        write('configs/x.py', "# a note\n_base_ = [\n    '../base.py',\n    '../bose.py',\n]\n")
    )
    assert message == "configs/x.py:4: base file bose.py does not exist; did you mean 'base.py'?"


def test_syntax_error_has_file_and_line(write, base):
    write('broken.py', 'a = 1\nb = = 2\n')
    assert error_of('broken.py').startswith('broken.py:2: syntax error')
    assert error_of(write('x.py', "_base_ = 'broken.py'\n")).startswith('broken.py:2: syntax error')


def test_error_while_executing_has_file_and_line(write, base):
    write('a.py', "work_dir = 'w'\nload_from = undefined_name\n")
    assert error_of(write('x.py', "_base_ = 'a.py'\n")) == (
        "a.py:2: NameError: name 'undefined_name' is not defined"
    )
    assert error_of(write('y.py', "_base_ = 'base.py'\nload_from = _base_.nothing\n")).startswith('y.py:2:')
    assert error_of(write('z.py', "_base_ = 'base.py'\n\nload_from = {{_base_.nothing}}\n")) == (
        "z.py:3: no base sets 'nothing'"
    )


def test_circle(write):
    write('a.py', "_base_ = 'b.py'\n")
    assert error_of(write('b.py', "_base_ = 'a.py'\n")) == 'a.py:1: b.py inherits from itself'


def test_two_bases_that_set_the_same_key(write):
    write('a.py', "work_dir = 'a'\n")
    write('b.py', "\nwork_dir = 'b'\n")
    message = error_of(write('x.py', "_base_ = ['a.py', 'b.py']\n"))
    assert "x.py: the bases a.py:1 and b.py:2 both set 'work_dir'" in message


def test_dict_over_something_else(write):
    write('a.py', "work_dir = 'a'\n")
    message = error_of(write('x.py', "_base_ = 'a.py'\nwork_dir = dict(b=1)\n"))
    assert message.startswith("x.py:2: 'work_dir' is a dict here but not in the base")


def test_other_formats_and_bytes(write, tmp_path):
    assert 'a config is a .py' in error_of(write('x.txt', ''))
    (tmp_path / 'x.py').write_bytes(b'\xff\xfe\x00')
    assert 'not a text file' in error_of('x.py')
    assert error_of(write('x.json', '{"a": ')).startswith('x.json: cannot be read as json')
    assert 'a config holds a mapping' in error_of(write('x.yaml', '- 1\n'))
    assert error_of(write('y.py', '_base_ = [3]\n')).startswith('y.py:1: _base_ must be a path')


def test_chain_is_child_first(write, base):
    write('a.py', "_base_ = 'base.py'\n")
    files = list(read_files(write('b.py', "_base_ = 'a.py'\n")).chain())
    assert [file.path.name for file in files] == ['b.py', 'a.py', 'base.py']


def test_config_of_ltkit_from_outside_the_tree(write, repo_root):
    config = load_config(write('mine.py', "_base_ = 'ltkit::_base_/default_runtime.py'\n"), check=False)
    assert config.default_scope == 'ltkit'
    files = list(read_files('mine.py').chain())
    assert files[1].path.resolve() == repo_root / 'configs' / '_base_' / 'default_runtime.py'


def test_missing_config_of_ltkit(write):
    message = error_of(write('mine.py', "_base_ = 'ltkit::_base_/defult_runtime.py'\n"))
    assert message.startswith("mine.py:1: base 'ltkit::_base_/defult_runtime.py' is not found")


def test_package_that_is_not_there(write):
    assert error_of(write('mine.py', "_base_ = 'mmdet::a/b.py'\n")).startswith(
        "mine.py:1: base 'mmdet::a/b.py'"
    )


@pytest.mark.slow
def test_configs_and_tools_are_in_the_wheel(repo_root, tmp_path):
    import shutil
    import subprocess
    import sys
    import zipfile

    source = tmp_path / 'source'
    skip = shutil.ignore_patterns('.git', 'data', 'work_dirs', '.venv', '__pycache__', 'build', '*.egg-info')
    shutil.copytree(repo_root, source, symlinks=True, ignore=skip)
    subprocess.run(
        [
            sys.executable,
            '-m',
            'pip',
            'wheel',
            str(source),
            '--no-deps',
            '--no-build-isolation',
            '-w',
            str(tmp_path),
        ],
        check=True,
        capture_output=True,
    )
    names = zipfile.ZipFile(next(tmp_path.glob('*.whl'))).namelist()
    assert 'ltkit/.mim/configs/_base_/default_runtime.py' in names
    assert 'ltkit/.mim/tools/misc/print_config.py' in names
    assert 'ltkit/.mim/model-index.yml' in names
