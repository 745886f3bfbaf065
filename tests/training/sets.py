"""Visits as tests write them: sets of items."""

import numpy as np

from training.visits import Visits

TEA, CUP, JAR, HAT = range(4)


def visits_of(*sets, items=4):
    """Visits in the order of time, each a set of items."""
    visit = np.repeat(np.arange(len(sets), dtype=np.int32), [len(held) for held in sets])
    item = np.array([item for held in sets for item in sorted(held)], np.int32)
    return Visits(visit, item, visit.astype(np.int64), np.ones(len(sets), np.bool_), items)
