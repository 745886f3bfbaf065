"""Five customers with a purchase each, and what they say to mails."""

from pathlib import Path

from models.profile import EMPTY, Event, dump, fold
from service.people import facts
from service.store import Store
from service.store.open import open_store
from tests.worlds import DAY_S, NOW, save, tiny_models

BOUGHT = {"ann": "DR-001", "bob": "DR-002", "cid": "VT-001", "dan": "SH-014", "eve": "NE-001"}
TOLD = {"purpose": "marketing", "channel": "email", "at": NOW, "source": "web"}


def fill(store: Store) -> None:
    """Put them there, and a visitor who bought nothing."""
    profiles = [
        (name, dump(fold(EMPTY, Event("purchase", NOW - 20 * DAY_S, item_id=item_id, amount=1, order_id="1"))))
        for name, item_id in BOUGHT.items()
    ]
    store.publish([*profiles, ("session:1", dump(EMPTY))], sequence=0, fold=lambda *_: b"")


def a_shop(folder: Path, url: str) -> tuple[Path, str]:
    """The folder of a bundle, and the store in which these customers are."""
    save(folder / "models", "one", tiny_models())
    store = open_store(url)
    assert store is not None
    fill(store)
    store.close()
    return folder, url


def say(store: Store, name: str, status: str, channel: str = "email") -> None:
    """She says yes ("granted") or no to mails."""
    told = {**TOLD, "channel": channel, "status": status}
    store.change(name, "facts", lambda document: facts.dump(facts.with_consents(facts.load(document), [told])))
