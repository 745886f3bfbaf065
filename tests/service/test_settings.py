from pathlib import Path

import pytest

from models.errors import InputError
from models.settings import Settings
from service.settings import ServiceSettings, from_environment, read_shop


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_an_environment_the_defaults_hold() -> None:
    assert from_environment({}) == from_environment({"VALET_PORT": "", "PATH": "/bin"})
    assert from_environment({}) == ServiceSettings(audit=Path("audit"))


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("VALET_MODELS_DIR", "/m", "models_dir", Path("/m")),
        ("VALET_STORE", "none", "store", "none"),
        ("VALET_CONFIG", "shop.toml", "config", Path("shop.toml")),
        ("VALET_PORT", "0", "port", 0),
        ("VALET_WORKERS", "4", "workers", 4),
        ("VALET_THREADS", "2", "threads", 2),
        ("VALET_NOW", "1767225600", "now", 1_767_225_600),
        ("VALET_NOW", "2026-01-01T00:00:00Z", "now", 1_767_225_600),
        ("VALET_NOW", "2026-01-01T07:00:00+07:00", "now", 1_767_225_600),
        ("VALET_NOW", "2026-01-01", "now", 1_767_225_600),
        ("VALET_SECRET", "s" * 32, "secret", b"s" * 32),
        ("VALET_BUDGET_MS", "80", "budget_s", 0.08),
        ("VALET_BUDGET_MS", "0", "budget_s", None),
    ],
)
def test_a_variable_sets_a_field(name: str, text: str, field: str, value: object) -> None:
    assert getattr(from_environment({name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VALET_PORT", "http"),
        ("VALET_PORT", "70000"),
        ("VALET_WORKERS", "0"),
        ("VALET_THREADS", "-1"),
        ("VALET_THREADS", "²"),
        ("VALET_NOW", "soon"),
        ("VALET_BUDGET_MS", "soon"),
    ],
)
def test_a_variable_that_does_not_parse_stops_the_start_and_is_named(name: str, text: str) -> None:
    with pytest.raises(InputError, match=f"{name}='{text}'"):
        from_environment({name: text})


@pytest.mark.parametrize("name", ["VALET_SECRET", "VALET_CUSTOMER_SECRET"])
def test_a_secret_that_can_be_guessed_stops_the_start_and_is_not_repeated(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} needs 32 bytes") as refused:
        from_environment({name: "s" * 31})
    assert "sss" not in str(refused.value)


def test_settings_and_actions_in_the_working_directory_are_found() -> None:
    Path("valet.toml").write_text('[shop]\nlanguage = "th"\n')
    Path("actions.toml").write_text("")
    found = from_environment({})
    assert (found.config, found.actions) == (Path("valet.toml"), Path("actions.toml"))
    assert read_shop(found.config).shop.language == "th"


def test_actions_lie_beside_the_settings() -> None:
    Path("shop").mkdir()
    Path("shop/actions.toml").write_text("")
    assert from_environment({"VALET_CONFIG": "shop/valet.toml"}).actions == Path("shop/actions.toml")


def test_without_a_file_the_shop_has_the_defaults() -> None:
    assert read_shop(None) == Settings()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_stops_the_start_and_is_named(content: bytes | None) -> None:
    if content is not None:
        Path("valet.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"valet\.toml"):
        read_shop(Path("valet.toml"))
