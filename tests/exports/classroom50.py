"""Classroom 50's result.json: schema classroom50/result/v1, whose points are whole numbers.

https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from fractions import Fraction
from typing import Any

from exports.lines import ExportError, LabForm, Line, exact, lines, whole

SCHEMA = "classroom50/result/v1"

VARIABLES = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
}


def result(
    lab: LabForm,
    environment: Mapping[str, str],
    hidden: Collection[str] = (),
    at: datetime | None = None,
) -> dict[str, Any]:
    """Return one lab's result as Classroom 50 reads it; `hidden` are modules, like "test_reader".

    `environment` has the variables that its runner sets, `at` is when it was handed in (default:
    now; the runner puts the time of the commit in its place). Raises ExportError.
    """
    owner = environment.get("OWNER") or environment.get("USERNAME", "")
    missing = [name for name in VARIABLES.values() if not environment.get(name)]
    missing += [] if owner else ["OWNER"]
    if missing:
        raise ExportError(f"Classroom 50 wants the variables {', '.join(missing)}")
    if not environment["SUBMISSION_TAG"].startswith("submit/"):
        raise ExportError("Classroom 50 wants a SUBMISSION_TAG that begins with submit/")
    when = (at or datetime.now(timezone.utc)).astimezone(timezone.utc)
    told = {key: environment[name] for key, name in VARIABLES.items()}
    tests = _tests(lab, list(lines(lab, hidden)))
    return {
        "schema": SCHEMA,
        **told,
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": owner,
        "review": environment.get("REVIEW_URL") or told["commit"],
        "datetime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }


def apportioned(weights: Sequence[Fraction], total: int) -> list[int]:
    """Return whole numbers in proportion to weights, with this sum: the largest remainders go up.

    https://en.wikipedia.org/wiki/Quota_method
    """
    if not total:
        return [0] * len(weights)
    exact_shares = [weight * total / sum(weights) for weight in weights]
    shares = [math.floor(share) for share in exact_shares]
    order = sorted(range(len(shares)), key=lambda at: shares[at] - exact_shares[at])
    for at in order[: total - sum(shares)]:
        shares[at] += 1
    return shares


def _tests(lab: LabForm, each: list[Line]) -> list[dict[str, Any]]:
    """Return the tests: their scores and maxima have the sums that the lab has, rounded.

    What was earned and what was lost are rounded apart, so that who passed all has all. A lab's
    points may be less than its checks gave, as lateness costs some: each test gives its share.
    """
    gained = [line.points for line in each]
    lost = [line.max_points - line.points for line in each]
    most = whole(sum(gained + lost, Fraction(0)))
    points = min(whole(exact(lab["points"])), most) if any(gained) else 0
    gain = max(points, most - whole(sum(lost, Fraction(0))))
    gains = apportioned(gained, gain)
    maxima = [one + other for one, other in zip(gains, apportioned(lost, most - gain), strict=True)]
    scores = apportioned([Fraction(one) for one in gains], points)
    return [
        {
            "test-name": line.name,
            "passed": line.passed,
            "score": score,
            "max-score": most_here,
            "message": line.text,
        }
        for line, score, most_here in zip(each, scores, maxima, strict=True)
    ]
