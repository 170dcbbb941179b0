from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from ltkit.datasets.download import git_blob_hash
from ltkit.datasets.split_lists import (
    SPLIT_LISTS,
    SplitList,
    check_list,
    fetch_list,
    find_list,
    parse_list,
    read_list_bytes,
    shipped_file,
)
from ltkit.distribution import ClassDistribution
from ltkit.utils.errors import DataError

CONTENT = b'a/b c.jpg 12\n\nd.jpg\t3 \r\n\xc3\xbc.png 0'


def test_parse() -> None:
    paths, labels, lines = parse_list(CONTENT, 'x')
    assert [paths[idx] for idx in range(3)] == ['a/b c.jpg', 'd.jpg', 'ü.png']
    assert labels.tolist() == [12, 3, 0] and labels.dtype == np.int64
    assert lines.tolist() == [1, 3, 4]
    assert len(parse_list(b'', 'x')[0]) == len(parse_list(b'\n \n', 'x')[1]) == 0


@pytest.mark.parametrize(
    'line', ['a.jpg', 'a.jpg x', 'a.jpg -1', 'a.jpg 1.5', '7', ' 7', 'a.jpg 12345678901', 'a 1e3']
)
def test_parse_names_the_bad_line(line: str) -> None:
    with pytest.raises(
        DataError, match=r"some.txt:2: expected 'relative/path.jpg label', but found '"
    ) as caught:
        parse_list(f'good.jpg 1\n{line}\nbad again\n'.encode(), 'some.txt')
    assert line.strip() in str(caught.value)


def test_parse_agrees_with_a_plain_reader() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (f'dir {rng.integers(9)}/{rng.integers(10**6)}.jpg', int(rng.integers(10 ** rng.integers(1, 6))))
        for _ in range(500)
    ]
    paths, labels, lines = parse_list('\n'.join(f'{path} {label}' for path, label in rows).encode(), 'x')
    assert [(paths[idx], int(labels[idx])) for idx in range(500)] == rows
    assert lines.tolist() == list(range(1, 501))


def test_read_gzip_and_errors(tmp_path: Path) -> None:
    plain, packed = tmp_path / 'list.txt', tmp_path / 'list.txt.gz'
    plain.write_bytes(CONTENT)
    packed.write_bytes(gzip.compress(CONTENT))
    assert read_list_bytes(plain) == read_list_bytes(packed) == CONTENT
    packed.write_bytes(gzip.compress(CONTENT)[:-12])
    with pytest.raises(DataError, match=r'list\.txt\.gz'):
        read_list_bytes(packed)
    with pytest.raises(DataError, match='does not exist'):
        read_list_bytes(tmp_path / 'absent')


@pytest.mark.parametrize('name', [name for name, entry in SPLIT_LISTS.items() if entry.shipped])
def test_shipped_lists_are_the_official_ones(name: str) -> None:
    content = read_list_bytes(shipped_file(name))
    check_list(SPLIT_LISTS[name], content, name)
    assert len(parse_list(content, name)[0]) == SPLIT_LISTS[name].lines


@pytest.mark.parametrize(
    'name, total, classes, most, least',
    [
        ('ImageNet_LT', 115846, 1000, 1280, 5),
        ('Places_LT', 62500, 365, 4980, 5),
        ('VideoLT', None, 1004, 1912, 44),
    ],
)
def test_shipped_counts(name: str, total: int | None, classes: int, most: int, least: int) -> None:
    counts = ClassDistribution.from_file(shipped_file(f'{name}_train_class_counts.tsv'))
    assert total in (None, counts.total)
    assert (counts.num_classes, counts.counts.max(), counts.counts.min()) == (classes, most, least)
    if name == 'ImageNet_LT':
        assert [len(group) for group in counts.groups.values()] == [385, 479, 136]


def test_other_shipped_files() -> None:
    for version, size in (('v1', 1203), ('v0.5', 1230)):
        categories = json.loads(read_list_bytes(shipped_file(f'lvis_{version}_categories.json')))
        assert [entry['id'] for entry in categories] == list(range(1, size + 1))
    for name, images, classes in (('VOC', 1142, 20), ('COCO', 1909, 80)):
        frequencies = json.loads(read_list_bytes(shipped_file(f'{name}_LT_class_freq.json')))
        rows = read_list_bytes(shipped_file(f'{name}_LT_train_labels.txt')).decode().split('\n')[:images]
        ids = read_list_bytes(shipped_file(f'{name}_LT_train_ids.txt')).decode().split()
        assert [row.split()[0] for row in rows] == ids and len(ids) == images
        counts = np.bincount(
            [int(label) for row in rows for label in row.split()[1].split(',')], minlength=classes
        )
        assert counts.tolist() == frequencies['class_freq']
    with open(shipped_file('Places_LT_train_class_counts.tsv'), encoding='utf-8') as file:
        names = [row['name'] for row in csv.DictReader(file, delimiter='\t')]
    assert names[0] == 'airfield' and len(names) == 365
    with pytest.raises(DataError, match=r"ships no file 'x.txt'"):
        shipped_file('x.txt')


def test_find_list(tmp_path: Path) -> None:
    entry = SPLIT_LISTS['ImageNet_LT_train.txt']
    folders = [str(tmp_path / 'one'), str(tmp_path)]
    with pytest.raises(DataError) as caught:
        find_list(entry, folders)
    for part in (
        entry.name,
        entry.blob,
        'get_splits.py imagenet_lt',
        folders[0],
        f"into '{tmp_path}'",
        '115,846',
    ):
        assert part in str(caught.value)
    (tmp_path / f'{entry.name}.gz').write_bytes(b'')
    assert find_list(entry, folders) == str(tmp_path / f'{entry.name}.gz')
    with pytest.raises(
        DataError, match=r'not the official ImageNet_LT_train\.txt: its git blob is e69de29.*imagenet_lt'
    ):
        check_list(entry, b'', 'data/ImageNet_LT_train.txt')


def test_fetch_list(tmp_path: Path) -> None:
    source, out = tmp_path / 'source.txt', tmp_path / 'data'
    source.write_bytes(CONTENT)
    entry = SplitList('L.txt', git_blob_hash(CONTENT), 3, 'l', source.as_uri())
    assert fetch_list(entry, out) == (str(out / 'L.txt'), True)
    assert (out / 'L.txt').read_bytes() == CONTENT
    assert fetch_list(entry, out, url='file:///nowhere') == (str(out / 'L.txt'), False)
    source.write_bytes(b'other')
    (out / 'L.txt').write_bytes(b'damaged')
    with pytest.raises(DataError, match=r'another file than expected: git blob .* by hand'):
        fetch_list(entry, out)
    assert (out / 'L.txt').read_bytes() == b'damaged'

    def offline(url: str) -> io.BytesIO:
        raise URLError('offline')

    with pytest.raises(DataError, match=f'cannot fetch .*offline.*{entry.blob}'):
        fetch_list(entry, tmp_path / 'none', opener=offline)


def test_byte_order_marks() -> None:
    paths, labels, lines = parse_list(b'\xef\xbb\xbfa.jpg 3\r\n\r\nb c.jpg 4', 'x.txt')
    assert [paths[0], paths[1]] == ['a.jpg', 'b c.jpg'] and labels.tolist() == [3, 4] and lines.tolist() == [1, 3]
    with pytest.raises(DataError, match=r'^x\.txt is UTF-16 text; save it as UTF-8$'):
        parse_list('a.jpg 3\n'.encode('utf-16'), 'x.txt')
