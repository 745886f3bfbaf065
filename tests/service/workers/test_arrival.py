"""What has come is a whole short request, something for a thread of its own, or the beginning of either."""

from __future__ import annotations

import pytest

from service.http.load import LONGEST_ADDRESS, LONGEST_BODY
from service.workers.arrival import LONGEST_HEAD, SHORT, Arrival, look

HEAD = b"POST /events HTTP/1.1\r\nHost: x\r\n"
LIST = b"GET /recommend?item_id=a&n=3 HTTP/1.1\r\nHost: x\r\n\r\n"
WHOLE = (
    b"GET /customers/a HTTP/1.1\r\n\r\n",
    b"POST /recommend/batch HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    b"\x16\x03\x01\r\n\r\n",
    b"\r\n\r\n",
    b"POST /events \r\n\r\n",
    b"GET /recommend HTTP/2.0\r\n\r\n",
    b"GET  /recommend HTTP/1.1\r\n\r\n",
)


@pytest.mark.parametrize("path", sorted(SHORT))
@pytest.mark.parametrize("query", [b"", b"?item_id=a%20b"])
def test_a_whole_short_request_is_found_with_its_end_and_what_follows_is_not_of_it(path: bytes, query: bytes) -> None:
    bare = b"GET %s%s HTTP/1.1\r\nHost: x\r\n\r\n" % (path, query)
    told = b"POST %s%s HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}" % (path, query)
    for request in (bare, told):
        for more in (b"", b"GET / HTTP/1.1\r\n", request):
            assert look(request + more) == (Arrival.SHORT, len(request))


def test_of_a_request_that_comes_in_pieces_each_but_the_last_is_waited_for() -> None:
    request = HEAD + b"Content-Length: 5\r\n\r\n[1,2]"
    assert {look(request[:length])[0] for length in range(len(request))} == {Arrival.MORE}
    assert look(request) == (Arrival.SHORT, len(request))


@pytest.mark.parametrize(
    "came",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
        HEAD + b"Content-Length:\r\n 200\r\n\r\n{}",
        HEAD + b"Content-Length: 99999999\r\n\r\n",
        HEAD + b"Content-Length: %d\r\n\r\n" % (LONGEST_BODY + 1),
    ],
)
def test_a_long_body_or_an_odd_one_is_left_to_a_thread_that_waits_for_clients(came: bytes) -> None:
    assert look(came)[0] is Arrival.SLOW


@pytest.mark.parametrize(
    "came",
    [
        b"GET /recommend HTTP/1.1\n\n",
        b"GET /recommend HTTP/1.1\n\r\n",
        b"GET /recommend HTTP/1.1\r\nX: y\n",
        b"GET /recommend HTTP/1.1\r\nX: y\n\r\nGET /hidden HTTP/1.1\r\n\r\n",
        b"GET /recommend HTTP/1.1\r\nX: y\n\nGET /hidden HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: 2\nContent-Length: 200\r\n\r\n{}",
        b"GET /recommend?n=" + b"1" * LONGEST_HEAD,
        HEAD + b"X: y\r\n" * (LONGEST_HEAD // 6),
    ],
)
def test_what_has_no_end_is_no_request(came: bytes) -> None:
    assert look(came)[0] is Arrival.NONE


def test_the_longest_address_and_the_longest_body_are_waited_for() -> None:
    address = b"POST /recommend?n=" + b"1" * LONGEST_ADDRESS
    request = address + b" HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % LONGEST_BODY + b"x" * LONGEST_BODY
    assert look(address) == (Arrival.MORE, 0)
    assert look(request[:-1]) == (Arrival.MORE, len(request))
    assert look(request) == (Arrival.SHORT, len(request))


@pytest.mark.parametrize(
    "kind", [b"Content-Type: application/x-ndjson; charset=utf-8", b"content-type:application/X-NDJSON"]
)
def test_a_mailing_takes_none_of_the_threads_that_answer_others(kind: bytes) -> None:
    head = b"POST /recommend/batch HTTP/1.1\r\n%s\r\nContent-Length: 3\r\n\r\n" % kind
    assert look(head + b"{}") == (Arrival.MORE, len(head) + 3)
    assert look(head + b"{}\n")[0] is Arrival.LONG


@pytest.mark.parametrize("came", WHOLE)
def test_what_is_whole_and_no_short_request_is_answered_alone(came: bytes) -> None:
    assert look(came)[0] is Arrival.ALONE


def test_a_body_is_waited_for_wherever_it_goes() -> None:
    request = b"POST /customers/a HTTP/1.1\r\nContent-Length: 3\r\n\r\n{} "
    assert look(request[:-1]) == (Arrival.MORE, len(request))
    assert look(request)[0] is Arrival.ALONE
