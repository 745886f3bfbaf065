import json
from dataclasses import fields

import numpy as np
import pytest

from models import bundle
from models.errors import BundleError
from tests.service.lists.learnt import LEARNT


def test_carts_and_visits_come_back_as_they_were_saved(tmp_path):
    bundle.save(tmp_path, LEARNT, {})
    found = bundle.load(tmp_path).models
    assert found.blend == LEARNT.blend
    for name in ("ease", "sessions"):
        for field in fields(getattr(LEARNT, name)):
            saved, loaded = getattr(getattr(LEARNT, name), field.name), getattr(getattr(found, name), field.name)
            assert np.array_equal(saved, loaded), f"{name}.{field.name}"


def test_a_bundle_that_knows_neither_carts_nor_visits_still_loads(tmp_path):
    bundle.save(tmp_path, LEARNT, {})
    manifest = json.loads((tmp_path / bundle.MANIFEST).read_text())
    del manifest["models"]["ease"], manifest["models"]["sessions"], manifest["models"]["blend"]["fade"]
    (tmp_path / bundle.MANIFEST).write_text(json.dumps(manifest))
    found = bundle.load(tmp_path).models
    assert (found.ease, found.sessions, found.blend.fade) == (None, None, 1.0)


@pytest.mark.parametrize(
    "said", [None, [], {}, {"models": None}, {"models": {}}, {"files": None}, {"files": {"\0": ""}}]
)
def test_a_manifest_that_describes_no_bundle_is_named_with_the_cure(tmp_path, said):
    bundle.save(tmp_path, LEARNT, {})
    file = tmp_path / bundle.MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | said if said else said))
    with pytest.raises(BundleError, match=rf"{tmp_path}.*Train again"):
        bundle.load(tmp_path)


@pytest.mark.parametrize(
    "head", [b"", b"\x93NUMPY", b"PK\x03\x04" + b" " * 200, b"\x93NUMPY\x01\x00\x04\x00((((" + b" " * 80]
)
def test_an_array_that_is_none_is_named_with_the_cure(tmp_path, head):
    bundle.save(tmp_path, LEARNT, {})
    file = tmp_path / "popularity.score.npy"
    file.write_bytes(head)
    with pytest.raises(BundleError, match=f"{file}.*activate another"):
        bundle.load(tmp_path, verify=False)
