"""The service's own settings, from the environment, read once at start. The shop's settings are `valet.toml` (models.settings)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.errors import InputError
from models.settings import Settings
from models.settings_file import parse
from service.keys import Scope

CONFIG = "valet.toml"
ACTIONS = "actions.toml"
KEYS: Mapping[str, Scope] = {"VALET_PUBLIC_KEY": "public", "VALET_SERVER_KEY": "server", "VALET_ADMIN_KEY": "admin"}
LEAST_SECRET = 32  # bytes, as RFC 7518, section 3.2, wants of a key of HS256
AUDIT = "audit"


@dataclass(frozen=True)
class ServiceSettings:
    """What a service needs to know before it starts. Paths are relative to the working directory.

    config   the shop's settings; None: the defaults
    actions  the catalogue of actions beside it; None: the one that comes with the service
    now      a clock that stands still (tests, replays), seconds since 1970 UTC; None: the machine's
    secret   signs tokens; None: one that the store keeps
    agent_key  what the call centre sends to find customers, and a key of its scope
    keys     other keys that are set here, by scope; the store has those that valet-serve keys makes
    customer_secrets  with which the shop signs who a visitor is, see service.customer_tokens
    patience_s  how long a request may wait for a thread before it is turned away
    budget_s  how long a list or a decision may take before it does without the store; None: as long as the store's own deadlines let it
    audit    where the chains of decisions are written (service.decisions.chain); None: nowhere
    audit_days  how long decisions and their chains are kept
    poll_s   how often `current` is looked at, off the request path
    """

    models_dir: Path = Path("models/trained")
    store: str = "sqlite:///valet.db"
    config: Path | None = None
    actions: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 8
    now: int | None = None
    secret: bytes | None = None
    agent_key: bytes | None = None
    keys: tuple[tuple[Scope, str], ...] = ()
    customer_secrets: tuple[bytes, ...] = ()
    poll_s: float = 0.5
    patience_s: float = 0.5
    budget_s: float | None = 0.25
    audit: Path | None = None
    audit_days: int = 90


def from_environment(environ: Mapping[str, str]) -> ServiceSettings:
    """The settings that VALET_… variables say; an empty one counts as absent. Raises InputError for one that does not parse."""
    values = {key: value for key, value in environ.items() if value}
    default = ServiceSettings()
    config = _config(values)
    return ServiceSettings(
        models_dir=Path(values.get("VALET_MODELS_DIR", default.models_dir)),
        store=values.get("VALET_STORE", default.store),
        config=config,
        actions=beside(config),
        host=values.get("VALET_HOST", default.host),
        port=_whole(values, "VALET_PORT", default.port, least=0, most=65_535),
        workers=_whole(values, "VALET_WORKERS", default.workers, least=1, most=1_000),
        threads=_whole(values, "VALET_THREADS", default.threads, least=1, most=1_000),
        patience_s=_whole(values, "VALET_PATIENCE_MS", 500, least=1, most=60_000) / 1000,
        budget_s=_whole(values, "VALET_BUDGET_MS", 250, least=0, most=60_000) / 1000 or None,
        now=_time(values, "VALET_NOW"),
        secret=_secret("VALET_SECRET", values["VALET_SECRET"]) if "VALET_SECRET" in values else None,
        agent_key=values["VALET_AGENT_KEY"].encode() if "VALET_AGENT_KEY" in values else None,
        keys=tuple((scope, values[name]) for name, scope in KEYS.items() if name in values),
        customer_secrets=_secrets(values.get("VALET_CUSTOMER_SECRET", "")),
        audit=None if values.get("VALET_AUDIT") == "none" else Path(values.get("VALET_AUDIT", AUDIT)),
        audit_days=_whole(values, "VALET_AUDIT_DAYS", default.audit_days, least=1, most=36_500),
    )


def read_shop(config: Path | None) -> Settings:
    """The shop's settings of a file, the defaults without one. Raises InputError with file, line and key."""
    if config is None:
        return Settings()
    return parse(read_text(config), str(config))


def read_text(path: Path) -> str:
    """The text of a settings file; raises InputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}. Name another one.") from error


def _config(values: Mapping[str, str]) -> Path | None:
    if "VALET_CONFIG" in values:
        return Path(values["VALET_CONFIG"])
    return Path(CONFIG) if Path(CONFIG).is_file() else None


def _secrets(text: str) -> tuple[bytes, ...]:
    """The secrets of customer_tokens, separated by commas: an old one beside a new one."""
    return tuple(_secret("VALET_CUSTOMER_SECRET", part.strip()) for part in text.split(",") if part.strip())


def _secret(name: str, text: str) -> bytes:
    if len(text.encode()) < LEAST_SECRET:
        raise InputError(f"{name} needs {LEAST_SECRET} bytes at least: openssl rand -hex 32 makes one.")
    return text.encode()


def beside(config: Path | None) -> Path | None:
    """The catalogue of actions beside these settings, or in the working directory; None where there is none."""
    actions = (config or Path(CONFIG)).with_name(ACTIONS)
    return actions if actions.is_file() else None


def _whole(values: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise InputError(f"{name}={text!r} is not a whole number from {least} to {most}. Mend it or leave it out.")
    return int(text)


def _time(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{name}={text!r} is not a time, like 2026-11-21T02:15:00Z. Mend it or leave it out."
        ) from error
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
