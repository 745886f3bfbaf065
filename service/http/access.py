"""Who may call what: the key of a request, its scope, and how much its sender may ask for.

    route → key → scope → limit

Without any key the service is open, and answers its own machine only; so it does while the store has not said yet which keys there are.
A page is known by its public key or by its origin (browser.origins): it may ask for lists and tell events, of a visit or of who a
customer_token names, never of a bare customer_id. Secret keys come in `Authorization: Bearer …` alone, because addresses are logged
along the way; a public one may be in `?key=…`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil

from flask import Flask, Request, Response, request
from marshmallow import ValidationError

from service import customer_tokens
from service.fields import Fields
from service.http.bodies import PUBLIC_KEY
from service.http.load import LONGEST_BODY, SLOW
from service.http.metrics import metrics
from service.http.problems import RETRY_AFTER_S, problem
from service.http.services import services, this_request
from service.keys import Key, Scope
from service.services import Services

Address = IPv4Address | IPv6Address
LIMITED = {"/docs", "/openapi.json", "/valet.js", "/r/<token>"}  # to so many a second of an address
FREE = {*LIMITED, "/livez", "/readyz"}  # they tell nothing of anybody
OF_PAGES = {"/recommend", "/events"}
OF_AGENTS = {
    *("/recommend", "/rank", "/next-best-action", "/decisions/<id:decision_id>", "/outcomes", "/actions"),
    *("/customers", "/customers/<id:customer_id>", "/customers/<id:customer_id>/timeline"),
    "/customers/<id:customer_id>/consents",
}
LOOK_UP = "/customers"  # found by phone, e-mail or order: for the call centre, which says so with a key even where all else is open
OF_ADMINS = {("PUT", "/actions"), ("POST", "/models/<id:version>/activate")}
FAILURES_A_SECOND, FAILURES_AT_ONCE = 0.2, 20.0  # wrong keys of one address: guessing one is hopeless, and noisy
FORWARDED, LOOPBACK = ("X-Forwarded-For", "Forwarded", "X-Real-IP"), "127.0.0.1"
LOCAL = Key("local", "admin", "this machine", "", 0)
CALLER = "valet.caller"  # in the environ: whose request it is
PAGE = Key("page", "public", "an origin", "", 0)


def admit(app: Flask, shop: Services) -> None:
    """Let nobody call this app who may not."""
    app.before_request(partial(_check, shop))


def caller() -> Key:
    """Who makes this request, as far as a key says it."""
    key: Key = this_request().environ.get(CALLER, LOCAL)
    return key


@dataclass(frozen=True)
class Whose:
    """Whom a request may be about. Made within it, used also while its answer is streamed."""

    page: bool
    secrets: tuple[bytes, ...]
    now: int

    def __call__(self, customer_id: str | None, customer_token: str | None) -> str | None:
        """The customer of the token, or the one that is named, which pages may not. Raises ValidationError at the field that is wrong."""
        if customer_token is None:
            if customer_id is not None and self.page:
                raise ValidationError(
                    {"customer_id": ["Pages send a session_id, or a customer_token that the shop signed."]}
                )
            return customer_id
        found = customer_tokens.customer(customer_token, secrets=self.secrets, now=self.now)
        if found is None:
            why = (
                "Is not signed with our secret, or has expired."
                if self.secrets
                else "No VALET_CUSTOMER_SECRET is set up."
            )
            raise ValidationError({"customer_token": [why]})
        if customer_id is not None and customer_id != found:
            raise ValidationError({"customer_id": ["Is not the customer of the customer_token; send one of them."]})
        return found

    def row(self, fields: Fields) -> str | None:
        """The same for a row of events; what is wrong is noted there."""
        try:
            token = fields.text("customer_token", longest=customer_tokens.LONGEST)
            return self(fields.text("customer_id"), token)
        except ValidationError as error:
            for name, messages in error.messages_dict.items():
                fields.wrong(name, messages[0])
            return None


def whose() -> Whose:
    """Whom this request may be about."""
    shop = services()
    return Whose(caller().scope == "public", shop.customer_secrets, shop.clock())


def _check(shop: Services) -> Response | None:
    """A problem for who may not call this, or not so often; None for all others."""
    asked = this_request()
    rule = asked.url_rule.rule if asked.url_rule else None
    if rule is None or rule in FREE or asked.method == "OPTIONS":
        return None if rule not in LIMITED or _local() else _too_many(_wait_of_address(shop), "limit")
    keyring, bearer = shop.keyring, _bearer(asked)
    text = asked.args.get(PUBLIC_KEY) if bearer is None and _in_address(asked) else bearer
    key = None if text is None else keyring.find(text, now=shop.clock())
    if key is None:
        if not keyring.open and not (not keyring.read and _local()):
            return _without_key(text)
        if not _local():
            return problem(403, "There are no keys yet, so only this machine may call: make one with valet-serve keys.")
        if rule == LOOK_UP:
            return _unknown_key(text) if keyring.agents else _no_agents()
        key = PAGE if _of_a_page(asked) else LOCAL
    asked.environ[CALLER] = key
    if bearer is None and text is not None and key.scope != "public" and key is not LOCAL:
        return _secret_in_address()
    return _out_of_scope(key, asked.method, rule) or _over_limit(key, shop) or _slow_page(key, asked)


def _bearer(asked: Request) -> str | None:
    """The text of a key in the header; werkzeug looks for more kinds of them, and takes ten times as long."""
    kind, _, text = asked.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return str(text.strip()) if kind.lower() == "bearer" else None


def _in_address(asked: Request) -> bool:
    """Whether the address holds a key; it is not parsed for that where it cannot."""
    query = asked.query_string
    return (PUBLIC_KEY.encode() in query or b"%" in query) and PUBLIC_KEY in asked.args


def _of_a_page(asked: Request) -> bool:
    """Whether a page of the shop asks: a browser that says so, or a public key."""
    origins = services().settings.browser.origins
    return _in_address(asked) or (bool(origins) and asked.headers.get("Origin") in origins)


def _without_key(text: str | None) -> Response:
    if not services().keyring.read:
        detail = "The store that keeps the keys does not answer. Try again."
        return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
    if text is None:
        wait, why = _wait_of_address(services()), "no key"
    else:
        kept, why = f"failed {_address()}", "wrong key"
        wait = services().limits.wait(kept, rate=FAILURES_A_SECOND, burst=FAILURES_AT_ONCE, now=time.monotonic())
    return _too_many(wait, why) or _unknown_key(text)


def _unknown_key(text: str | None) -> Response:
    metrics().refused("no key" if text is None else "wrong key")
    said = "This key is unknown or was revoked." if text is not None else "A key is missing."
    detail = f"{said} Send one as Authorization: Bearer …; pages send their public one as ?key=…."
    return problem(401, detail, headers={"WWW-Authenticate": "Bearer"})


def _no_agents() -> Response:
    detail = "Nobody may look customers up: set VALET_AGENT_KEY, and send it as Authorization: Bearer …."
    return problem(403, detail)


def _secret_in_address() -> Response:
    metrics().refused("key in the address")
    return problem(401, "This key is secret: send it as Authorization: Bearer …, never in an address; revoke it now.")


def _out_of_scope(key: Key, method: str, rule: str) -> Response | None:
    if may(key.scope, method, rule):
        return None
    metrics().refused("scope")
    return problem(403, f"A key of scope {key.scope} may not call {method} {rule}.")


def _slow_page(key: Key, asked: Request) -> Response | None:
    """A problem for a page whose body a thread would wait for: what is in every page holds none of the few there are for that."""
    if key.scope != "public" or not asked.environ.get(SLOW):
        return None
    metrics().refused("slow page")
    status = 411 if "HTTP_TRANSFER_ENCODING" in asked.environ else 413
    return problem(status, f"Pages send up to {LONGEST_BODY} bytes at once, and say how many (Content-Length).")


def may(scope: Scope, method: str, rule: str) -> bool:
    """Whether a scope allows a call. What no list names is the servers' and the admins'."""
    if scope == "admin":
        return True
    if (method, rule) in OF_ADMINS:
        return False
    if scope == "server":
        return rule != LOOK_UP
    return rule in OF_PAGES if scope == "public" else rule in OF_AGENTS and method != "DELETE"


def _over_limit(key: Key, shop: Services) -> Response | None:
    if key is LOCAL:
        return None
    now, set_ = time.monotonic(), shop.settings.limits
    wait = shop.limits.wait(key.key_id, rate=set_.per_key, burst=set_.per_key * set_.burst_seconds, now=now)
    if not wait and key.scope == "public":
        wait = _wait_of_address(shop)
    return _too_many(wait, "limit")


def _wait_of_address(shop: Services) -> float:
    set_ = shop.settings.limits
    if not set_.per_address:
        return 0.0
    burst = set_.per_address * set_.burst_seconds
    return shop.limits.wait(_address(), rate=set_.per_address, burst=burst, now=time.monotonic())


def _too_many(wait_s: float, why: str) -> Response | None:
    if not wait_s:
        return None
    metrics().refused(why)
    detail = f"Too many requests; the next one may come in {ceil(wait_s)} s."
    return problem(429, detail, headers={"Retry-After": str(ceil(wait_s))})


# --- addresses --------------------------------------------------------------------------------------------------------------------------


def _address() -> str:
    """Whose limit it is: the sender's address, an IPv6 one by its /64; behind our proxies the nearest one that is no proxy."""
    proxies = services().settings.limits.proxies
    hops = [request.remote_addr or ""]
    if proxies:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()] + hops
    return next((_grouped(hop) for hop in reversed(hops) if not _within(hop, proxies)), _grouped(hops[0]))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


@lru_cache(maxsize=4096)
def _within(text: str, networks: tuple[str, ...]) -> bool:
    found = _parsed(text)
    return found is not None and any(found in ip_network(network) for network in networks)


@lru_cache(maxsize=4096)
def _grouped(text: str) -> str:
    found = _parsed(text)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else text


def _local() -> bool:
    """Whether it comes from this machine, by its loopback or a Unix socket; what a proxy passes on does not."""
    if any(name in request.headers for name in FORWARDED):
        return False
    found = _parsed(request.remote_addr or LOOPBACK)
    return found is not None and found.is_loopback
