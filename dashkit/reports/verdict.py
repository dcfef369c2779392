"""A report's verdict: the last word of a notebook that checks something."""

from collections.abc import Iterable
from dataclasses import asdict

from dashkit.errors import CheckError, UsageError
from dashkit.records import Check
from dashkit.reports.figures import hand_on


def require(checks: Iterable[Check]) -> None:
    """Fail the run unless every check holds; the page is published all the same, with its verdict in red.

    Args:
        checks: what was looked at; none at all is no verdict.

    Raises:
        CheckError: names each check that failed and what it found.
        UsageError: there is no check to judge by.
    """
    judged = tuple(checks)
    if not judged:
        raise UsageError(
            "Cannot give a verdict",
            "there is no check to judge by",
            "Give require() the checks that were made.",
        )
    hand_on(checks=[asdict(check) for check in judged])
    failed = tuple(check for check in judged if not check.ok)
    if failed:
        raise CheckError(
            f"{len(failed)} of {len(judged)} checks failed",
            "; ".join(f"{check.name} ({check.found})" for check in failed),
            "The report shows each check with what it found.",
            failed=failed,
        )
