"""A document goes out as it lies, and says how long it is."""

from pathlib import Path

from tests.service.http.apps import tiny_client


def test_head_says_what_get_would_send_and_sends_nothing(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    got, head = (client.open("/recommend?item_id=DR-001&n=2", method=method) for method in ("GET", "HEAD"))
    assert got.is_json
    assert head.data == b""
    assert (
        dict(head.headers)
        == dict(got.headers)
        == {"Content-Type": "application/json", "Content-Length": str(len(got.data))}
    )
