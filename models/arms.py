"""Arms of decisions: by a salted hash a few customers are decided for otherwise, so that what deciding is worth can be measured.

The same customer stands in the same arm on every channel and worker, and nothing is written for it; a new salt deals anew. What each arm
leaves out is the experiment: `holdout` everything that is not service, `random` the ranking, `propensity` all but the chance, `no_levers`
what the business adds; `full` is everybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from typing import Literal, get_args

from models.toml import Place

Arm = Literal["holdout", "random", "propensity", "no_levers", "full"]
ARMS: tuple[Arm, ...] = get_args(Arm)
_WHOLE = float(1 << 64)


@dataclass(frozen=True)
class Arms:
    """The share of the customers in each arm; the rest is `full`.

    holdout    only service messages           random     any action that passes the funnel, with one chance for all
    propensity the likeliest, whatever it is worth        no_levers  without the levers of the business
    """

    holdout: float = 0.0
    random: float = 0.0
    propensity: float = 0.0
    no_levers: float = 0.0
    salt: str = ""

    @property
    def shares(self) -> dict[Arm, float]:
        """By arm, in the order of ARMS; they sum to 1."""
        small: dict[Arm, float] = {
            "holdout": self.holdout,
            "random": self.random,
            "propensity": self.propensity,
            "no_levers": self.no_levers,
        }
        return {**small, "full": 1.0 - sum(small.values())}

    @property
    def dealt(self) -> bool:
        """Whether anybody is decided for otherwise."""
        return self.shares["full"] < 1.0

    def arm(self, customer_id: str) -> Arm:
        """Where a customer stands."""
        salted = f"arms\0{self.salt}\0{customer_id}".encode("utf-8", "surrogatepass")
        place = int.from_bytes(blake2b(salted, digest_size=8).digest(), "little") / _WHOLE
        return next((arm for arm, bound in self._bounds if place < bound), "full")

    @cached_property
    def _bounds(self) -> list[tuple[Arm, float]]:
        """Where each arm ends, from 0 to 1."""
        return list(zip(ARMS, accumulate(self.shares.values()), strict=True))


def check(arms: Arms, place: Place) -> None:
    """Raise InputError, with line and cure, for shares that cannot be."""
    for arm in ARMS[:-1]:
        if not 0 <= getattr(arms, arm) <= 1:
            raise (place / arm).error(f"{getattr(arms, arm)} must be from 0 to 1")
    if sum(arms.shares[arm] for arm in ARMS[:-1]) > 1:
        raise place.error("shares sum to more than 1; what is left is the arm `full`")
