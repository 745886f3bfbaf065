"""Dockerfile and compose.yaml, line by line as far as a machine without an engine can: what they copy is there, what they call works."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import implicit
import pytest

from service import events
from service.key_commands import main as keys
from service.serve import _flags
from service.settings import from_environment
from service.store.open import open_store
from tests.conftest import PATIENCE_MS
from tests.service.serving import serving
from tests.training.till import write_till
from tests.worlds import NOW, save, tiny_models
from training.settings import resolve

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
STAGES = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.M | re.S))
SCRIPTS = dict(
    re.findall(r'^(valet-[\w-]+) = "([\w.:]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
)
SERVICES = re.split(r"^  (\w+):.*\n", COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0], flags=re.M)
BODIES = dict(zip(SERVICES[1::2], SERVICES[2::2], strict=True))
ENVIRONMENT = dict(re.findall(r"^ {4}(VALET_\w+): (\S+)$", COMPOSE, re.M))
TRAINING_ONLY = ("implicit", "scipy", "duckdb", "scikit-learn", "matplotlib", "python-calamine", "pytest", "mypy")


@pytest.mark.parametrize("stage", ["serve", "train"])
def test_what_runs_runs_without_rights_and_without_a_compiler_or_pip(stage: str) -> None:
    lines = STAGES[stage].splitlines()
    assert "USER valet" in lines
    assert not [line for line in lines if line.startswith("RUN")]
    assert f"COPY --from=build-{stage} /opt/valet /opt/valet" in lines
    assert "pip uninstall" in STAGES[f"build-{stage}"]


def test_all_that_is_copied_is_there_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert source.removeprefix("./") not in ignored
    assert "training" not in STAGES["build"] + STAGES["build-serve"] + STAGES["serve"]


def test_the_image_that_serves_has_no_package_of_training_and_every_package_has_a_hash() -> None:
    lock = (ROOT / "requirements-serve.lock").read_text()
    packages = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", lock, re.M)
    assert "flask" in [package.lower() for package in packages]
    assert not {package.lower() for package in packages} & set(TRAINING_ONLY)
    assert lock.count("--hash=") >= len(packages)


def test_what_is_installed_is_all_that_lies_here_and_starts_without_it(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENCE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("models", "service", "training"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "trained"))
    (tmp_path / "models" / "trained" / "1").mkdir(parents=True)  # bundles, as they lie there where one has trained
    (tmp_path / "models" / "trained" / "1" / "manifest.json").write_text("{}")
    target = tmp_path / "installed"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*pip, "--no-index", "--target", target, tmp_path], check=True, timeout=120)
    for name in ("models", "service", "training"):
        here, there = (
            {one.relative_to(folder) for one in (folder / name).rglob("*") if one.is_file()}
            for folder in (ROOT, target)
        )
        assert {one for one in here if "__pycache__" not in one.parts and "trained" not in one.parts} == {
            one for one in there if "__pycache__" not in one.parts
        }
    for called in ("service.serve", "training.run"):
        command = [sys.executable, "-m", called, "--help"]
        environment = {**os.environ, "PYTHONPATH": str(target)}
        asked = subprocess.run(
            command, cwd=target, env=environment, check=False, timeout=60, capture_output=True, text=True
        )
        assert asked.returncode == 0, asked.stderr


def test_the_libraries_of_the_system_that_training_leans_on_are_in_its_image() -> None:
    [module, *_] = Path(next(iter(implicit.__path__)), "cpu").glob("_als*.so")
    needed = re.findall(rb"lib[a-z_+]+\.so\.\d+", module.read_bytes())
    assert b"libgomp.so.1" in needed  # else the image can do without
    assert "libgomp1" in STAGES["train-base"]
    assert re.search(r"^FROM train-base AS train$", DOCKERFILE, re.M)


def test_the_health_check_passes_where_the_service_lives_and_fails_where_it_does_not(tmp_path: Path) -> None:
    [check] = re.findall(r'^HEALTHCHECK .*CMD \["python", "-c", "(.+)"\]$', DOCKERFILE, re.M)
    with serving(tmp_path, "--store", "none") as running:
        here = [sys.executable, "-c", check.replace("8000", str(running.port))]
        assert subprocess.run(here, check=False, timeout=30).returncode == 0
    assert subprocess.run(here, check=False, timeout=30, capture_output=True).returncode != 0


def commands() -> list[list[str]]:
    """What the two files start."""
    listed = re.findall(r'^\s*(?:CMD|command:|ENTRYPOINT) (\[".+"\])$', DOCKERFILE + COMPOSE, re.M)
    return [re.findall(r'"([^"]*)"', line) for line in listed]


def test_every_command_is_one_that_we_install_and_takes_its_flags() -> None:
    ours = [command for command in commands() if command[0].startswith("valet")]
    assert {command[0] for command in ours} <= SCRIPTS.keys()
    for _, *arguments in (command for command in ours if command[0] == "valet-serve"):
        if arguments[:1] != ["keys"]:
            _flags(arguments)
    assert set(re.findall(r"valet-\w+", COMPOSE)) <= SCRIPTS.keys()


def test_the_keys_of_the_first_start_are_made_as_compose_makes_them(tmp_path: Path) -> None:
    [command] = [command for command in commands() if "keys" in command]
    arguments = [str(tmp_path / "keys") if one == "/keys" else one for one in command[2:]]
    assert keys(["--store", f"sqlite:///{tmp_path / 'valet.db'}", *arguments], now=0) == 0
    assert (tmp_path / "keys" / "server").is_file()


def test_every_variable_of_compose_is_one_that_the_service_or_training_reads() -> None:
    given, options = from_environment(ENVIRONMENT), resolve(["--history", "till.csv"], ENVIRONMENT)
    assert {
        "VALET_STORE": given.store,
        "VALET_MODELS_DIR": str(given.models_dir),
        "VALET_AUDIT": str(given.audit),
        "VALET_EVENTS_DIR": str(options.events),
    } == ENVIRONMENT
    assert (options.store, str(options.models_dir)) == (given.store, str(given.models_dir))


def test_every_volume_that_a_service_of_ours_writes_is_made_as_its_users() -> None:
    written = {path for name, body in BODIES.items() if name != "redis" for path, rw in _volumes(body).items() if rw}
    [made, owned] = re.findall(r"mkdir ([/\w ]+) && chown valet ([/\w ]+)", DOCKERFILE)[0]
    assert {f"/{path}" for path in written} <= set(made.split()) & set(owned.split())


def test_every_service_is_read_only_but_the_store_and_reachable_from_this_machine_alone() -> None:
    assert BODIES.keys() == {"redis", "keys", "serve", "train"}
    assert all("<<: *valet" in body for name, body in BODIES.items() if name != "redis")
    assert "read_only: true" in COMPOSE.split("\nservices:\n")[0]
    assert re.findall(r"ports: (.*)", COMPOSE) == ['["127.0.0.1:8000:8000"]']
    assert "appendonly" in BODIES["redis"]


# --- the nightly training ---------------------------------------------------------------------------------------------------------------


def night(folder: Path, training: str, start: Callable[..., list[str]] = lambda *shell: list(shell)) -> list[str]:
    """What the loop of compose.yaml does in one night with this for a training: the calls of stubs, in their order."""
    block = re.search(r"^    command:\n      - \|\n((?: {8}.*\n)+)", COMPOSE, re.M)
    assert block is not None
    script = "\n".join(line[8:] for line in block[1].splitlines()).replace("$$", "$")
    stubs = {
        "date": 'case "$*" in *tomorrow*) echo 7200;; *) echo 3600;; esac',
        "sleep": f'echo "sleep $1" >> {folder}/calls; [ "$(grep -c "sleep 3600" {folder}/calls)" -lt 2 ] || kill $PPID',
        "valet-train": f"echo train >> {folder}/calls; {training}",
    }
    for name, body in stubs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    command = start("/bin/sh", "-c", script)
    subprocess.run(command, env={"PATH": f"{folder}:/bin:/usr/bin"}, check=False, timeout=120)
    return (folder / "calls").read_text().split("\n")[1:-2]


@pytest.mark.parametrize("code", [0, 2, 3])
def test_a_training_that_ended_is_not_repeated_in_the_same_night(tmp_path: Path, code: int) -> None:
    assert night(tmp_path, f"exit {code}") == ["train"]


@pytest.mark.parametrize("code", [1, 4, 5])
def test_a_training_that_failed_is_tried_three_times(tmp_path: Path, code: int) -> None:
    assert night(tmp_path, f"exit {code}") == ["train", "sleep 600"] * 3


# --- what the services may write --------------------------------------------------------------------------------------------------------


class Containers:
    """The services of compose.yaml without an engine: a root that is read-only but for the volumes of each, with the store at a URL."""

    def __init__(self, folder: Path, store: str) -> None:
        self.root, self.temporary = folder / "root", folder / "temporary"
        for body in BODIES.values():
            for volume in _volumes(body):
                (self.root / volume).mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir()
        paths = {name: str(self.root / value[1:]) for name, value in ENVIRONMENT.items() if value.startswith("/")}
        self.environment = {**paths, "VALET_STORE": store, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.temporary)}

    def start(self, service: str, *command: str) -> list[str]:
        """The command as this service runs it."""
        folders = [self.root / path for path, writable in _volumes(BODIES[service]).items() if writable]
        ways = [(self.root, "ro"), *((one, "rw") for one in folders)]
        mounts = [f"mount --bind {one} {one}; mount -o remount,{how},bind {one}" for one, how in ways]
        inside = f"set -e; {'; '.join(mounts)}; cd {self.root}/valet/shop; exec {shlex.join(command)}"
        given = [f"{name}={value}" for name, value in self.environment.items()]
        return ["unshare", "-rm", "env", *given, "/bin/sh", "-c", inside]


def _volumes(body: str) -> dict[str, bool]:
    """Where the volumes of a service lie, from the root, and whether it may write there."""
    [listed] = re.findall(r"^    volumes: \[(.*?)\]", body, re.M)
    volumes = [volume.split(":") for volume in re.findall(r'"(.*?)"', listed)]
    return {path[1:]: "ro" not in how for _, path, *how in volumes}


@pytest.fixture
def containers(tmp_path: Path, redis_url: str) -> Containers:
    allowed = shutil.which("unshare") and subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True)
    if not allowed or allowed.returncode:
        pytest.skip("this user may mount nothing")
    return Containers(tmp_path, redis_url)


def test_the_nightly_training_publishes_and_drains_where_all_but_its_volumes_is_read_only(
    containers: Containers, redis_url: str, tmp_path: Path
) -> None:
    shop = containers.root / "valet" / "shop"
    write_till(shop / "till.csv", customers=40)
    (shop / "valet.toml").write_text('[history]\nfiles = ["till.csv"]\n')
    store = open_store(f"{redis_url}?timeout_ms={PATIENCE_MS}")
    assert store is not None
    row = {"event": "purchase", "customer_id": "C1", "item_id": "S0-00", "order_id": "o1"}
    assert events.record(row, store=store, rules=events.Rules(), now=NOW, new_id=str)[0].status == "accepted"
    store.close()
    (stubs := tmp_path / "stubs").mkdir()
    train = f"exec {sys.executable} -m training.run --no-evaluate --threads 1"
    assert night(stubs, train, partial(containers.start, "train")) == ["train"]
    assert (containers.root / "models" / "current").exists()
    assert len(list((containers.root / "events").glob("*.parquet"))) == 1


def test_decisions_stand_in_a_chain_where_all_but_the_volumes_of_the_service_is_read_only(
    containers: Containers, tmp_path: Path
) -> None:
    serve = [sys.executable, "-m", "service.serve"]
    [init] = [command[1:] for command in commands() if "init" in command]
    [flags] = [command[1:] for command in commands() if "--workers" in command]
    made = containers.start("keys", *serve, *(str(containers.root / "keys") if one == "/keys" else one for one in init))
    subprocess.run(made, check=True, timeout=60, capture_output=True)
    key = (containers.root / "keys" / "server").read_text().strip()
    save(containers.root / "models", "one", tiny_models())
    command = containers.start("serve", *serve, *flags)
    program = ("-c", f"import os; os.execvp({command[0]!r}, {command!r})")
    with serving(tmp_path, command=program) as service, service.connect() as connection:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        connection.request("POST", "/next-best-action", b'{"customer_id": "ann", "channel": "website"}', headers)
        assert connection.getresponse().status == 200
        assert "in no chain" not in service.printed.read_text()
    [chain] = (containers.root / "audit").glob("*.jsonl")
    assert chain.read_bytes().count(b"\n") == 1


def test_commands_in_comments_are_real_too() -> None:
    for line in re.findall(r"^#.*(docker compose .*)$", COMPOSE, re.M):
        words = shlex.split(line.split("(")[0])
        assert {word for word in words if word.startswith("valet-")} <= SCRIPTS.keys()


def test_every_command_goes_by_the_name_that_its_help_says() -> None:
    said = {
        name for path in ROOT.glob("training/*.py") for name in re.findall(r'prog="(\S+)"', path.read_text("utf-8"))
    }
    assert len(said) > 5
    assert said <= SCRIPTS.keys()
