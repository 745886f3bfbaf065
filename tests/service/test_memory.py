"""What a list took is kept for the next one: it is not given back to the system, whatever thread took it."""

import gc
import subprocess
import sys

from service.memory import keep_loaded

FAULTS = """
import resource, sys, threading
import numpy as np
from service.memory import keep_freed
if sys.argv[1] == "kept" and not keep_freed():
    sys.exit("no glibc")
def lists():
    for _ in range(100):
        parts = [np.ones(1_000_000, dtype=np.float32) for _ in range(4)]
for _ in range(3):
    thread = threading.Thread(target=lists)
    thread.start()
    thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(how: str) -> int:
    """Pages that a process touched for the first time, all its lists together."""
    return int(subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True).stdout)


def test_what_is_freed_is_used_again_by_whatever_thread_comes_next():
    assert faults("kept") < faults("as usual") / 3


def test_what_was_loaded_before_the_fork_is_not_collected_again():
    usual = gc.get_threshold()
    try:
        loaded = [[] for _ in range(1_000)]
        keep_loaded()
        assert gc.get_freeze_count() > len(loaded)
        assert not any(each is loaded for each in gc.get_objects())
        assert gc.get_threshold()[0] > usual[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)
