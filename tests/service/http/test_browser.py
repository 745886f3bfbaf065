"""The shop's pages: the script, which origins may call, and what a real browser does with it."""

import functools
import gzip
import http.server
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient

from models.event_log import decode
from service.store.open import open_store
from tests.service.http.apps import tiny_client
from tests.service.serving import serving
from tests.worlds import save, tiny_models

SHOP, KEY = "https://shop.example", "pk-1"
SETTINGS = f'[browser]\norigins = ["{SHOP}"]\nkey = "{KEY}"\n'
EVENT = orjson.dumps({"event": "view_item", "session_id": "s", "item_id": "DR-001"})


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    (tmp_path / "valet.toml").write_text(SETTINGS)
    return tiny_client(tmp_path, config=tmp_path / "valet.toml")


def test_the_script_is_small_and_kept_by_the_browser_until_it_changes(client: FlaskClient) -> None:
    answer = client.get("/valet.js")
    assert answer.content_type.startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert len(answer.data) < 4_200
    assert len(gzip.compress(answer.data)) < 2_000
    again = client.get("/valet.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_script_is_for_pages_of_any_origin(client: FlaskClient) -> None:
    answer = client.get("/valet.js", headers={"Origin": "https://other.example"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_the_script_leans_on_nothing_and_never_writes_html(client: FlaskClient) -> None:
    text = client.get("/valet.js").text
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|import |require\(|cookie =", text)
    opened = {"(": ")", "[": "]", "{": "}"}
    bare = re.sub(r"//[^\n]*|\"[^\"]*\"|/\^.*?\$/", "", text)  # without comments, texts and the one pattern
    waiting: list[str] = []
    for character in bare:
        if character in opened:
            waiting.append(opened[character])
        elif character in opened.values():
            assert waiting.pop() == character
    assert waiting == []


def test_the_page_to_copy_from_is_in_the_docs(client: FlaskClient) -> None:
    page = client.get("/docs", base_url="https://valet.example").text
    assert 'id="browser"' in page
    assert "https://valet.example/valet.js" in page
    assert "https://other.example/valet.js" in client.get("/docs", base_url="https://other.example").text


@pytest.mark.parametrize("media_type", ["text/plain;charset=UTF-8", "application/json"])
def test_a_page_of_the_shop_posts_events_and_reads_the_receipt(client: FlaskClient, media_type: str) -> None:
    answer = client.post(f"/events?key={KEY}", data=EVENT, content_type=media_type, headers={"Origin": SHOP})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert answer.headers["Vary"] == "Origin"


def test_a_page_of_the_shop_gets_lists_and_problems_it_can_read(client: FlaskClient) -> None:
    good = client.get(f"/recommend?item_id=DR-001&key={KEY}", headers={"Origin": SHOP})
    bad = client.get(f"/recommend?n=0&key={KEY}", headers={"Origin": SHOP})
    assert (good.status_code, bad.status_code) == (200, 422)
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in (good, bad)} == {SHOP}


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        (f"/events?key={KEY}", "https://evil.example"),
        (f"/events?key={KEY}", "https://shop.example.evil.example"),
        (f"/events?key={KEY}", "null"),
        ("/events", SHOP),
        ("/events?key=other", SHOP),
        ("/events?key=%E2%98%82", SHOP),
        (f"/outcomes?key={KEY}", SHOP),
        (f"/customers/ann?key={KEY}", SHOP),
    ],
)
def test_other_pages_and_other_calls_are_refused_and_nothing_is_written(
    client: FlaskClient, path: str, origin: str
) -> None:
    answer = client.post(path, data=EVENT, content_type="text/plain", headers={"Origin": origin})
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert client.get("/customers/session:s").status_code == 404


def test_a_preflight_is_answered_for_what_a_page_may_call_and_for_nothing_else(client: FlaskClient) -> None:
    headers = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    answer = client.options("/events", headers=headers)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert client.options("/items", headers=headers).status_code == 403
    assert (
        "Access-Control-Allow-Origin" not in client.options("/events", headers={"Origin": "https://x.example"}).headers
    )


def test_a_server_and_a_page_of_our_own_need_no_key(client: FlaskClient, tmp_path: Path) -> None:
    assert client.post("/events", data=EVENT, content_type="application/json").status_code == 200
    assert client.get("/recommend", headers={"Origin": "http://localhost"}).status_code == 200
    plain = tiny_client(tmp_path / "other", secret=b"x")
    assert "Access-Control-Allow-Origin" not in plain.get("/recommend", headers={"Origin": SHOP}).headers


# --- a real browser ---------------------------------------------------------------------------------------------------------------------

PAGE = """<!doctype html><html><body>
<div id="place"></div>
<template id="card"><a data-href="url"><b data-text="title"></b><i data-text="reason"></i></a></template>
<script src="http://127.0.0.1:%(port)s/valet.js" data-key="pk-1"></script>
<script>
const said = [];
const fetched = window.fetch;
window.fetch = (url, options) => { said.push(String(url)); return fetched(url, options); };
(async () => {
  const place = document.querySelector("#place"), card = document.querySelector("#card");
  valet.event("view_item", { item_id: "DR-002" });
  await valet.show(place, { item_id: ["DR-001"], intent: "complementary", n: 2 }, card);
  document.body.dataset.before = JSON.stringify({ stored: localStorage.length, personal: said.some((url) => /session|events/.test(url)) });
  valet.consent(true);
  const answer = await valet.show(place, { item_id: "DR-001", intent: "complementary", n: 2 }, card);
  place.firstElementChild.click();
  await new Promise((done) => setTimeout(done, 2500));
  document.body.dataset.after = JSON.stringify({ stored: localStorage.length, shown: answer.items.length, session: localStorage.valet });
  valet.consent(false);
  document.body.dataset.forgotten = String(localStorage.length);
})();
</script></body></html>"""


@contextmanager
def pages(folder: Path) -> Iterator[int]:
    """A shop's web server on a port of its own: another origin than the service's."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no chromium is installed (Debian: apt-get install chromium)")
    return found


def test_in_a_real_browser_it_shows_tells_and_keeps_quiet_until_consent(tmp_path: Path) -> None:
    program = chromium()
    save(tmp_path / "models", "one", tiny_models())
    with pages(tmp_path) as port:
        origin = f"http://localhost:{port}"
        (tmp_path / "valet.toml").write_text(f'[browser]\norigins = ["{origin}"]\nkey = "{KEY}"\n')
        flags = ("--models-dir", "models", "--config", "valet.toml", "--store", "sqlite:///valet.db")
        with serving(tmp_path, *flags) as service:
            (tmp_path / "page.html").write_text(PAGE % {"port": service.port})
            command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            command += [f"--user-data-dir={tmp_path / 'browser'}", "--no-proxy-server", "--timeout=20000", "--dump-dom"]
            command += ["--virtual-time-budget=15000", f"{origin}/page.html?valet=mailed"]
            home = {**os.environ, "HOME": str(tmp_path)}
            shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=home).stdout
    found = {
        name: orjson.loads(value.replace("&quot;", '"'))
        for name, value in re.findall(r'data-(before|after|forgotten)="([^"]*)"', shown)
    }
    assert found["before"] == {"stored": 0, "personal": False}
    assert (found["after"]["stored"], found["after"]["shown"], found["forgotten"]) == (1, 2, 0)
    assert "Black court shoes" in shown
    store = open_store(f"sqlite:///{tmp_path / 'valet.db'}")
    assert store is not None
    told = [decode(entry.body) for entry in store.events(customer_id=f"session:{found['after']['session']}")]
    store.close()
    assert {"email_click", "view_item", "view_item_list", "select_item"} <= {event.name for event in told}
    assert {event.item_id for event in told if event.name == "select_item"} == {"SH-014"}
