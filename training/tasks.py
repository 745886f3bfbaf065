"""The tasks of an evaluation: what the held-out part of a history asks of the models."""

from __future__ import annotations

from training.evaluate import Task
from training.history import aligned
from training.queries import completions, next_clicks, next_purchases, unfinished
from training.split import Cut

# That are asked about; of more, some are drawn by the seed.
MOST_CUSTOMERS, MOST_CARTS, MOST_VISITS = 30_000, 2_000, 1_000


def tasks_of(parts: Cut, seed: int) -> tuple[Task, ...]:
    """What she buys next that is new to her or at all, what else is in the basket or completes the cart, what a visitor clicks on next."""
    train, test = aligned(parts.train, parts.test)
    items, buyers = train.items, len(set(test.purchases.customer.tolist()) - {-1})
    new = next_purchases(train, test, repeats=False, limit=MOST_CUSTOMERS, seed=seed)
    every = next_purchases(train, test, repeats=True, limit=MOST_CUSTOMERS, seed=seed)
    baskets = completions(train, test, limit=MOST_CARTS, seed=seed)
    carts = unfinished(train, test, limit=MOST_VISITS, seed=seed)
    clicks = next_clicks(train, test, limit=MOST_VISITS, seed=seed)
    bought, again = "What does she buy next that she never bought?", "What does she buy next?"
    beside, completing = (
        "One item of a basket is known: what else is in it?",
        "Two items or more of a basket are known: what completes it?",
    )
    clicked = "A visitor clicked on some items: on which next?"
    tasks = (
        Task("For you: new items", bought, "customers", "for_you", new, items, max(buyers - len(new), 0)),
        Task("For you: repeats too", again, "customers", "for_you_owned", every, items, max(buyers - len(every), 0)),
        Task("Complementary", beside, "baskets", "complementary", baskets, items, 0, k=10),
        Task("Carts", completing, "carts", "cart", carts, items, 0, k=10),
        Task("Visits", clicked, "visits", "session", clicks, items, 0),
    )
    return tuple(task for task in tasks if len(task.queries))
