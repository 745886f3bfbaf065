"""Keys, on both stores: made once, kept as digests, rotated and revoked, and known through what happens to a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InputError
from service import create_app, key_commands
from service.keys import Keyring, given, listed, make, revoke
from service.settings import from_environment
from service.store import Store
from service.store.open import open_store
from tests.conftest import PATIENCE_MS, start_redis

NOW = 1_767_225_600


def test_a_key_works_until_it_is_revoked_and_no_other_text_does(store: Store) -> None:
    keyring = Keyring(store)
    assert keyring.open
    key, text = make(store, "server", name="web", now=NOW)
    keyring.refresh()
    assert not keyring.open
    assert keyring.find(text, now=NOW) == key
    assert keyring.find(f"{text}x", now=NOW) is None
    revoke(store, key.key_id, at=NOW + 10)
    keyring.refresh()
    assert [keyring.find(text, now=at) is None for at in (NOW + 9, NOW + 10)] == [False, True]
    assert not keyring.open  # one that is revoked opens nothing


def test_what_is_revoked_sooner_later_counts_from_then(store: Store) -> None:
    key, _ = make(store, "agent", name="", now=NOW)
    revoke(store, key.key_id, at=NOW + 100)
    revoke(store, key.key_id, at=NOW + 5)
    revoke(store, key.key_id, at=NOW + 50)
    assert [one.ends_at for one in listed(store)] == [NOW + 5]


def test_nobody_can_read_a_key_in_the_store(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'valet.db'}")
    assert store is not None
    _, text = make(store, "admin", name="me", now=NOW)
    store.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert text.encode() not in kept
    assert text.rsplit("_", maxsplit=1)[-1].encode() not in kept


def test_a_store_that_is_away_or_emptied_takes_no_known_key_away(tmp_path: Path) -> None:
    with start_redis(tmp_path) as server:
        store = open_store(f"{server.url}?timeout_ms={PATIENCE_MS}")
        assert store is not None
        _, text = make(store, "server", name="", now=NOW)
        keyring = Keyring(store)
        server.process.kill()
        server.process.wait()
        keyring.refresh()
        assert keyring.find(text, now=NOW) is not None
        (tmp_path / "empty").mkdir()
        with start_redis(tmp_path / "empty", port=server.port):
            keyring.refresh()
            assert keyring.find(text, now=NOW) is not None
            assert not keyring.open
            _, another = make(store, "server", name="", now=NOW)
            keyring.refresh()
            assert [keyring.find(one, now=NOW) is not None for one in (text, another)] == [True, True]
        store.close()


def test_while_no_store_has_said_which_keys_there_are_nothing_is_open() -> None:
    keyring = Keyring(open_store("redis://127.0.0.1:1/0"), [given("server", "s" * 16)])
    assert not keyring.read
    assert not keyring.open
    assert keyring.find("s" * 16, now=NOW) is not None


@pytest.mark.parametrize(("scope", "open_to_all"), [("agent", True), ("public", True), ("server", False)])
def test_a_key_of_the_settings_for_agents_or_pages_closes_nothing_else(scope, open_to_all) -> None:
    assert Keyring(None, [given(scope, "x" * 16)]).open is open_to_all


@pytest.mark.parametrize("scope", ["server", "agent", "admin"])
@pytest.mark.parametrize("text", ["a", "s" * 15])
def test_a_key_that_can_be_guessed_stops_the_start(tmp_path: Path, scope: str, text: str) -> None:
    name = f"VALET_{scope.upper()}_KEY"
    settings = {"VALET_STORE": "none", "VALET_MODELS_DIR": str(tmp_path), name: text}
    with pytest.raises(InputError, match=f"{name} has {len(text)} characters"):
        create_app(from_environment(settings))


def test_a_public_key_stands_in_pages_and_may_be_short() -> None:
    assert given("public", "shop").scope == "public"


def test_while_no_key_can_be_read_nothing_is_open_and_one_that_is_revoked_is_not_missed(store: Store) -> None:
    store.put("key", "odd", b'{"of": "a later version"}')
    store.bump("key")
    keyring = Keyring(store)
    assert (keyring.away, keyring.read, keyring.open) == (True, False, False)
    _, text = make(store, "server", name="", now=NOW)
    keyring.refresh()
    assert (keyring.away, keyring.read, keyring.open) == (True, True, False)
    assert keyring.find(text, now=NOW) is not None
    with pytest.raises(InputError, match="keys odd cannot be read"):
        listed(store)
    revoke(store, "odd", at=NOW)
    keyring.refresh()
    assert not keyring.away
    assert len(listed(store)) == 1


# --- valet-serve keys -------------------------------------------------------------------------------------------------------------------


def run(store_url: str, *arguments: str) -> int:
    return key_commands.main(["--store", store_url, *arguments], now=NOW)


def test_keys_are_made_listed_rotated_and_revoked(store_url: str, store: Store, capsys) -> None:
    assert run(store_url, "create", "--scope", "server", "--name", "web") == 0
    text = capsys.readouterr().out.strip()
    [key] = listed(store)
    assert run(store_url, "rotate", key.key_id, "--overlap", "60") == 0
    fresh = capsys.readouterr().out.strip()
    keyring = Keyring(store)
    both = [keyring.find(one, now=NOW + 59) is not None for one in (text, fresh)]
    later = [keyring.find(one, now=NOW + 60) is not None for one in (text, fresh)]
    assert (both, later) == ([True, True], [False, True])
    assert run(store_url, "rotate", key.key_id) == 0  # it works for a while yet
    assert key_commands.main(["--store", store_url, "rotate", key.key_id], now=NOW + 86_400) == 2
    assert "revoked already" in capsys.readouterr().err
    assert run(store_url, "revoke", listed(store)[-1].key_id) == 0
    assert run(store_url, "list") == 0
    listing = capsys.readouterr().out
    assert key.key_id in listing
    assert "web" in listing
    assert text not in listing


def test_the_first_start_makes_a_key_of_each_scope_once(store_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(store_url, "init", "--folder", str(tmp_path / "keys")) == 0
    files = sorted((tmp_path / "keys").iterdir())
    assert [file.name for file in files] == ["admin", "agent", "public", "server"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    store = open_store(store_url)
    assert store is not None
    keyring = Keyring(store)
    for file in files:
        key = keyring.find(file.read_text().strip(), now=NOW)
        assert key is not None
        assert key.scope == file.name


def test_a_key_whose_file_is_lost_is_named(store_url: str, tmp_path: Path, capsys) -> None:
    assert run(store_url, "init", "--folder", str(tmp_path / "keys")) == 0
    (tmp_path / "keys" / "agent").unlink()
    capsys.readouterr()
    assert run(store_url, "init", "--folder", str(tmp_path / "keys")) == 0
    [said] = capsys.readouterr().err.splitlines()
    assert "scope agent" in said
    assert "keys create" in said


@pytest.mark.parametrize(
    ("url", "arguments", "code", "said"),
    [
        ("sqlite:///STORE", ("revoke", "nothing"), 2, "there is no key 'nothing'"),
        ("sqlite:///STORE", ("rotate", "nothing"), 2, "there is no key 'nothing'"),
        ("none", ("list",), 2, "VALET_SERVER_KEY"),
        ("redis://127.0.0.1:1/0", ("create", "--scope", "agent"), 1, "127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path: Path, capsys, url, arguments, code, said) -> None:
    assert run(url.replace("STORE", str(tmp_path / "valet.db")), *arguments) == code
    assert said in capsys.readouterr().err
