import json
from dataclasses import fields

import numpy as np

from models import bundle
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
