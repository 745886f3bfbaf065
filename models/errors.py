"""The exception tree.

ValetError
├── InputError        something given to us cannot be used: a file, a column, a setting (exit 2)
├── BundleError       a bundle is not whole, or of another format
├── LockedError       another training run holds the models directory (exit 4)
├── DiskError         the disk is full or not writable (exit 5)
├── SolverError       the process that solves a model died; the run goes on without that model
└── StoreUnavailable  the store did not answer within its deadline (503, or a degraded answer)

Each message names the offending value, its place, and the cure.
"""


class ValetError(Exception):
    """The base of everything that Valet raises on purpose."""


class InputError(ValetError):
    """Unusable input or settings; the message names file, row, column, value and the cure."""


class BundleError(ValetError):
    """A bundle directory that is not whole, was changed after it was written, or has a format this version does not read."""


class LockedError(ValetError):
    """Another run holds the lock."""


class DiskError(ValetError):
    """The disk is full, or a directory is not writable."""


class SolverError(ValetError):
    """The process that solves a model died or was killed; the message says how, and what it needs."""


class StoreUnavailable(ValetError):  # noqa: N818  (the field's word: it says what the caller can rely on)
    """The store is away, or slower than its deadline."""
