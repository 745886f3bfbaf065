"""Metrics are written to no page that the disk has not promised, and where it promises none they are counted on in memory."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

from service.http.metric_files import MetricFile, keep_room

KEYS = [f'["valet_requests", "valet_requests_total", {{"route": "/{number}"}}, ""]' for number in range(2_000)]
Promise = Callable[[int, int, int], None]


def told(file: Path) -> dict[str, float]:
    """What other workers read of it."""
    return {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(str(file))}  # type: ignore[no-untyped-call]


def kept(metrics: MmapedDict) -> dict[str, float]:
    return {key: value for key, value, _ in metrics.read_all_values()}  # type: ignore[no-untyped-call]


def test_each_page_is_promised_before_it_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promised, really = [], os.posix_fallocate

    def promise(descriptor: int, start: int, size: int) -> None:
        promised.append(size)
        really(descriptor, start, size)

    monkeypatch.setattr(os, "posix_fallocate", promise)
    metrics, file = MetricFile(str(tmp_path / "counter_1.db")), tmp_path / "counter_1.db"
    for number, key in enumerate(KEYS):
        metrics.write_value(key, number, 0.0)  # type: ignore[no-untyped-call]
        used = int.from_bytes(file.read_bytes()[:4], "little")
        assert used <= promised[-1] <= file.stat().st_blocks * 512
    assert told(file) == kept(metrics) == {key: number for number, key in enumerate(KEYS)}
    metrics.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("pages", [0, 1, 5])
def test_without_room_what_was_counted_stays_told_and_counting_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    really = os.posix_fallocate

    def promise(descriptor: int, start: int, size: int) -> None:
        if size > pages * 4_096 and "memfd" not in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(descriptor, start, size)

    monkeypatch.setattr(os, "posix_fallocate", promise)
    metrics, file = MetricFile(str(tmp_path / "counter_1.db")), tmp_path / "counter_1.db"
    for _ in range(2):
        for key in KEYS:
            value, _ = metrics.read_value(key)  # type: ignore[no-untyped-call]
            metrics.write_value(key, value + 1, 0.0)  # type: ignore[no-untyped-call]
    assert kept(metrics) == dict.fromkeys(KEYS, 2)
    if pages:
        assert told(file) == dict.fromkeys(KEYS[: len(told(file))], 1)
        assert len(told(file)) > 20 * pages
    else:
        assert not file.exists()
    metrics.close()  # type: ignore[no-untyped-call]


def test_prometheus_client_keeps_its_metrics_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "MmapedDict", MmapedDict)
    keep_room()
    counter = values.MultiProcessValue(lambda: 1)("counter", "valet_x", "valet_x", (), (), "")  # type: ignore[no-untyped-call]
    counter.inc(3)
    assert isinstance(counter._file, MetricFile)
    assert list(told(tmp_path / "counter_1.db").values()) == [3]
    counter.close_all_files()
