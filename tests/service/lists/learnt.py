"""The small shop with what carts and visits have taught besides."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from models.blend import Blend
from tests.worlds import BASKETS, WEIGHTS, tiny_models
from training.fit import ease, sessions
from training.matrices import Matrix
from training.visits import Visits

PLAIN = tiny_models()
ITEMS = PLAIN.catalogue.items
HELD = [ITEMS.rows(basket) for basket in BASKETS]
VISIT = np.repeat(np.arange(len(HELD), dtype=np.int32), [len(rows) for rows in HELD])
ITEM = np.concatenate(HELD).astype(np.int32)
MATRIX = Matrix(
    csr_matrix((np.ones(len(ITEM), np.float32), (VISIT, ITEM)), (len(HELD), len(ITEMS))), np.zeros(len(HELD))
)
SEEN = Visits(VISIT, ITEM, VISIT.astype(np.int64), np.ones(len(HELD), np.bool_), len(ITEMS))
OWN = {"cart": {"ease": 1.0}, "session": {"sessions": 1.0}}
LEARNT = replace(
    PLAIN,
    ease=ease.fit(MATRIX, ease.Parameters(regularization=0.5)),
    sessions=sessions.fit(SEEN, sessions.Parameters(support=1)),
    blend=Blend({**WEIGHTS, **OWN}, fade=0.1),
)
