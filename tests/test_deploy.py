"""Dockerfile and compose.yaml, line by line as far as a machine without an engine can: what they copy is there, what they call works."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import implicit
import pytest

from service.key_commands import main as keys
from service.serve import _flags
from service.settings import from_environment
from tests.service.serving import serving

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
STAGES = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.M | re.S))
SCRIPTS = dict(re.findall(r'^(valet-\w+) = "([\w.:]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M))
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


def test_every_variable_of_compose_is_one_that_the_service_reads() -> None:
    given = dict(re.findall(r"^ {4}(VALET_\w+): (\S+)$", COMPOSE, re.M))
    assert from_environment(given).store == given["VALET_STORE"]
    assert str(from_environment(given).models_dir) == given["VALET_MODELS_DIR"]


def test_every_service_is_read_only_but_the_store_and_reachable_from_this_machine_alone() -> None:
    services = re.split(r"^  (\w+):.*\n", COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0], flags=re.M)
    bodies = dict(zip(services[1::2], services[2::2], strict=True))
    assert bodies.keys() == {"redis", "keys", "serve", "train"}
    assert all("<<: *valet" in body for name, body in bodies.items() if name != "redis")
    assert "read_only: true" in COMPOSE.split("\nservices:\n")[0]
    assert re.findall(r"ports: (.*)", COMPOSE) == ['["127.0.0.1:8000:8000"]']
    assert "appendonly" in bodies["redis"]


# --- the nightly training ---------------------------------------------------------------------------------------------------------------


def night(folder: Path, code: int) -> list[str]:
    """What the loop of compose.yaml does in one night when training ends with a code: the calls of stubs, in their order."""
    block = re.search(r"^    command:\n      - \|\n((?: {8}.*\n)+)", COMPOSE, re.M)
    assert block is not None
    script = "\n".join(line[8:] for line in block[1].splitlines()).replace("$$", "$")
    stubs = {
        "date": 'case "$*" in *tomorrow*) echo 7200;; *) echo 3600;; esac',
        "sleep": f'echo "sleep $1" >> {folder}/calls; [ "$(grep -c "sleep 3600" {folder}/calls)" -lt 2 ] || kill $PPID',
        "valet-train": f"echo train >> {folder}/calls; exit {code}",
    }
    for name, body in stubs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    command = ["/bin/sh", "-c", script]
    subprocess.run(command, env={"PATH": f"{folder}:/bin:/usr/bin"}, check=False, timeout=30)
    return (folder / "calls").read_text().split("\n")[1:-2]


@pytest.mark.parametrize("code", [0, 2, 3])
def test_a_training_that_ended_is_not_repeated_in_the_same_night(tmp_path: Path, code: int) -> None:
    assert night(tmp_path, code) == ["train"]


@pytest.mark.parametrize("code", [1, 4, 5])
def test_a_training_that_failed_is_tried_three_times(tmp_path: Path, code: int) -> None:
    assert night(tmp_path, code) == ["train", "sleep 600"] * 3


def test_commands_in_comments_are_real_too() -> None:
    for line in re.findall(r"^#.*(docker compose .*)$", COMPOSE, re.M):
        words = shlex.split(line.split("(")[0])
        assert {word for word in words if word.startswith("valet-")} <= SCRIPTS.keys()
