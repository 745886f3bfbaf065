"""The decision: a pure function of what is asked and what is known.

situation → funnel (who may be told what) → arbitration (what is worth most) → choice (what is drawn of it)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models.tariff import of_tier
from service.decisions.arbitration import Candidate, Ranking, ranked, too_little
from service.decisions.choice import Choice, Terms, choose
from service.decisions.funnel import ORDER, Look, Passage, funnels, look
from service.decisions.situation import AGENT, Request, Situation


class Decision(NamedTuple):
    """What was decided, and of what.

    dropped  drop code -> how many actions, in the order of the funnel; stages that dropped none are left out
    """

    choice: Choice
    candidates: Ranking
    passage: Passage
    dropped: dict[str, int]
    seen: Look

    @property
    def best(self) -> tuple[Candidate, ...]:
        """What was chosen, best first."""
        return self.choice.best

    @property
    def speaks(self) -> bool:
        """Whether there is something to say to the customer."""
        return any(one.action.class_ != "silence" for one in self.best)

    def no_action_reason(self) -> str | None:
        """Where there is nothing to say: the stage that stopped the action that came furthest."""
        return None if self.speaks else next(reversed(self.dropped), None)


def decide(request: Request, situation: Situation) -> Decision:
    """The decision, a pure function of what is asked and what is known."""
    return decide_all([(request, situation)])[0]


def decide_all(asked: Sequence[tuple[Request, Situation]]) -> list[Decision]:
    """The decisions, of one catalogue, step by step for all: what a step reads is at hand for the next, which saves a fifth of the time."""
    looks = [look(situation) for _, situation in asked]
    passages = funnels(looks) if looks else []
    return [settled(request, seen, passage) for (request, _), seen, passage in zip(asked, looks, passages, strict=True)]


def settled(request: Request, seen: Look, passage: Passage) -> Decision:
    """The decision of who came through the funnel; what a replay makes again."""
    situation = seen.at
    ranking = ranked(passage, seen)
    policy = situation.actions.policy
    choice = choose(
        ranking,
        Terms(
            n=request.length,
            distinct_groups=request.channel == AGENT,
            min_value=of_tier(policy.min_value, policy.min_value_by_tier, situation.picture.tiers),
            arm=situation.arm,
            exploration="none" if situation.blind else situation.actions.learning.exploration,
            seed=situation.seed,
            short=too_little(ranking),
        ),
    )
    counts = {code: gone.bit_count() for code, gone in passage.dropped.items()}
    counts |= {code: count + counts.get(code, 0) for code, count in choice.dropped.items()}
    return Decision(choice, ranking, passage, {code: counts[code] for code in ORDER if code in counts}, seen)
