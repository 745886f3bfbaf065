"""`valet-serve`, or `python -m service.serve`: the service under gunicorn.

Flags win over VALET_… in the environment. GUNICORN_CMD_ARGS is honoured, and `gunicorn "service:create_app()"` works without this file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from models.errors import InputError
from service import create_app, key_commands
from service.memory import keep_freed, keep_loaded
from service.settings import ACTIONS, CONFIG, ServiceSettings, from_environment

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

UNUSABLE = 2
METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"
METRICS_PREFIX = "valet-metrics-"
KEEPALIVE_S = 75  # longer than the usual 60 of a proxy before us, so that it, not we, closes an idle connection
FLAGS = {
    "host": "HOST",
    "port": "PORT",
    "workers": "WORKERS",
    "threads": "THREADS",
    "models_dir": "MODELS_DIR",
    "store": "STORE",
    "config": "CONFIG",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop; exit 2 where the settings cannot be used. `keys …` is about keys, see service.key_commands."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["keys"]:
        sys.exit(key_commands.main(given[1:], now=int(time.time())))
    flags = _flags(given)
    os.environ.update(_overruled(flags))
    # Requests are many: more threads for one of them slow the others
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    keep_freed()
    # Before prometheus_client is imported
    os.environ.setdefault(METRICS_DIR, tempfile.mkdtemp(prefix="valet-metrics-"))
    try:
        settings = from_environment(os.environ)
        server = Server(create_app(settings), settings)
    except InputError as error:
        _forget_metrics()
        sys.stderr.write(f"{error}\n")
        sys.exit(UNUSABLE)
    if flags.demo is not None:
        sys.stdout.write(examples(flags.demo, server.address))
        sys.stdout.flush()
    keep_loaded()
    server.run()


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn around one application, made before the workers are forked: they share its memory."""

    def __init__(self, app: Any, settings: ServiceSettings) -> None:
        self._app = app
        self._settings = settings
        super().__init__()
        self._check_keys()

    def load_config(self) -> None:
        """Our options, then those of GUNICORN_CMD_ARGS."""
        for name, value in _options(self._settings).items():
            self.cfg.set(name, value)
        given = self.cfg.parser().parse_args(self.cfg.get_cmd_args_from_env())
        for name, value in vars(given).items():
            if value is not None and name in self.cfg.settings:
                self.cfg.set(name, value)

    def _check_keys(self) -> None:
        """Raise InputError where others than this machine can call, and nobody needs a key."""
        hosts = [address[0] for address in self.cfg.address if isinstance(address, tuple)]
        if self._app.extensions["valet"].keyring.open and not all(map(_loopback, hosts)):
            raise InputError(
                f"{', '.join(hosts)} can be reached by others, and there are no keys: make one with "
                "`valet-serve keys create --scope server`, or serve this machine alone with --host 127.0.0.1"
            )

    def load(self) -> WSGIApplication:
        """The application."""
        app: WSGIApplication = self._app
        return app

    @property
    def address(self) -> str:
        """Where it can be called, as a URL."""
        host, port = (
            self.cfg.address[0][:2] if isinstance(self.cfg.address[0], tuple) else ("localhost", self._settings.port)
        )
        return f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0', '::') else host}:{port}"  # noqa: S104  (compared, not bound)


def examples(demo: Path, address: str) -> str:
    """Calls that work, as the demo wrote them down, at this address."""
    written = demo / "curl.txt"
    lines = (
        written.read_text(encoding="utf-8") if written.is_file() else f"curl '{address}/recommend?intent=popular&n=3'\n"
    )
    return f"\nValet answers at {address}, documented at {address}/docs. Try:\n\n{lines.replace('http://localhost:8000', address).rstrip()}\n\n"


def _options(settings: ServiceSettings) -> dict[str, Any]:
    return {
        "bind": f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}",
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_class": "service.workers.worker.Worker",  # gthread: sync closes every connection
        "keepalive": KEEPALIVE_S,
        "preload_app": True,
        "limit_request_line": 0,  # an id of 1,000 characters is 12,000 once it is percent-encoded; the parser stops at 1 MB
        "control_socket_disable": True,
        "proc_name": "valet",
        "post_fork": _post_fork,
        "child_exit": _child_exit,
        "on_exit": _on_exit,
    }


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _post_fork(arbiter: Any, worker: Any) -> None:
    if worker.app.callable is not None:
        services = worker.app.callable.extensions["valet"]
        services.live.watch()  # threads die at a fork
        services.overlay.watch()
        services.beliefs.watch()
        services.keyring.watch()
        services.shelf.watch()


def _child_exit(arbiter: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _on_exit(arbiter: Any) -> None:
    _forget_metrics()


def _forget_metrics() -> None:
    """Remove the folder of the metrics, if it is ours."""
    if Path(os.environ[METRICS_DIR]).name.startswith(METRICS_PREFIX):
        shutil.rmtree(os.environ[METRICS_DIR], ignore_errors=True)


def _overruled(flags: argparse.Namespace) -> Mapping[str, str]:
    """The environment that the flags say: the demo's files, and over them whatever is given by name."""
    environment = _demo(flags.demo) if flags.demo is not None else {}
    given = {f"VALET_{name}": getattr(flags, flag) for flag, name in FLAGS.items()}
    return environment | {name: value for name, value in given.items() if value is not None}


def _demo(directory: Path) -> dict[str, str]:
    environment = {"VALET_MODELS_DIR": str(directory / "models"), "VALET_STORE": f"sqlite:///{directory / 'valet.db'}"}
    if (directory / CONFIG).is_file() or (directory / ACTIONS).is_file():
        environment["VALET_CONFIG"] = str(directory / CONFIG)
    return environment


def _flags(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="valet-serve",
        description="Serve recommendations and next best actions over HTTP. `valet-serve keys --help`: who may call what.",
    )
    parser.add_argument("--host", help="127.0.0.1 by default")
    parser.add_argument("--port", help="8000 by default; 0 takes a free one")
    parser.add_argument("--workers", help="processes, 1 by default")
    parser.add_argument("--threads", help="threads a process, 8 by default")
    parser.add_argument("--models-dir", help="where bundles are, models/trained by default")
    parser.add_argument("--store", help="sqlite:///valet.db by default; redis://…; none")
    parser.add_argument("--config", help="the shop's settings, ./valet.toml if there")
    parser.add_argument("--demo", type=Path, metavar="DIR", help="serve the demo shop that training wrote here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
