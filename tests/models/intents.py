"""A lifetime and a model of intent with weights drawn at random."""

import numpy as np

from models.intent import Intent, column_names
from models.lifetime import Lifetime
from models.profile import DAY_S

LIFETIME = Lifetime(0.6, 9.0, 0.2, 2.6, 0.6, 9.0, 0.2, 2.6, 1.0, 1.0, 1.0, 0.0, 7 * DAY_S)
NAMES = column_names(["Shoes"], ["Trang"])


def a_model(seed=0):
    """Weights drawn at random, for one category and one place."""
    rng = np.random.default_rng(seed)
    width = len(NAMES)
    return Intent(
        columns=NAMES,
        centre=rng.normal(size=width),
        scale=rng.uniform(0.5, 2.0, width),
        weights=rng.normal(size=(2, width)),
        level=np.array([-2.0, -1.0]),
        season=rng.normal(size=(2, 4)),
        categories=["Shoes"],
        places=["Trang"],
    )
