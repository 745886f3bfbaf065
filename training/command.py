"""How a command ends: its exit code, and where something went wrong one line on standard error."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from models.errors import DiskError, InputError, LockedError, ValetError

UNEXPECTED, UNUSABLE, LOCKED, NO_DISK, INTERRUPTED = 1, 2, 4, 5, 130


def ended(work: Callable[[], int], *, interrupted: str, otherwise: int = UNUSABLE) -> int:
    """The exit code of `work`, or that of the error which ended it.

    interrupted  what to say of a Ctrl-C        otherwise  the code of our errors that have none of their own
    """
    try:
        return work()
    except KeyboardInterrupt:
        return _failed(INTERRUPTED, interrupted)
    except LockedError as error:
        return _failed(LOCKED, error)
    except DiskError as error:
        return _failed(NO_DISK, error)
    except InputError as error:
        return _failed(UNUSABLE, error)
    except ValetError as error:
        return _failed(otherwise, error)


def stop_at_once(said: str) -> None:
    """Let Ctrl-C end this process without waiting for its threads: for work that a kill at any moment leaves whole."""

    def stop(*_: object) -> None:
        os._exit(_failed(INTERRUPTED, said))

    signal.signal(signal.SIGINT, stop)


def _failed(code: int, reason: object) -> int:
    sys.stderr.write(f"{reason}\n")
    sys.stderr.flush()
    return code
