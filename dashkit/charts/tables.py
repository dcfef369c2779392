"""Frames for people: what a number stands on is said in words beside it."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_WHOLE_FROM = 10  # days; from here on a tenth of a day is noise


def blocked_table(blocked: "pd.DataFrame") -> "pd.DataFrame":
    """What is stuck, to be read: title, project, reason and blocked_for, all text.

    Args:
        blocked: the frame `blocked_tasks`; its order is kept.
    """
    shown = blocked[["title", "project"]].assign(
        reason=blocked["blocked_reason"].fillna("not given"), blocked_for=blocked_for(blocked)
    )
    return shown.reset_index(drop=True)


def blocked_for(blocked: "pd.DataFrame") -> list[str]:
    """How long each task of the frame `blocked_tasks` has been blocked, in words."""
    days = blocked["blocked_days"].astype(object)
    told = zip(days.where(days.notna(), None), blocked["basis"].fillna(""), strict=True)
    return [days_in_words(number, basis) for number, basis in told]


def days_in_words(days: float | None, basis: str | None) -> str:
    """Days as what they stand on allows: `3.2 days`, `at most 477 days`, `not known`.

    Args:
        days: how many; None where that is not known.
        basis: `updated_at` makes them an upper bound, which is rounded up; anything else is taken as exact.
    """
    if days is None:
        return "not known"
    if basis == "updated_at":
        bound = max(1, math.ceil(days))
        return f"at most {bound:,} {'day' if bound == 1 else 'days'}"
    return f"{days:,.0f} days" if days >= _WHOLE_FROM else f"{days:.1f} days"
