"""A lab of a class, seen from above: who passed what, how points are spread, what is hard."""

from collections import Counter
from collections.abc import Callable
from statistics import mean, median

from kit.result import CheckResult
from reports.grades import Grades, LabGrade, StudentGrades, Suite
from reports.markup import Html, joined, tag
from reports.words import by_part, counted, grade_of, number

SIGNS = {"passed": "✓", "failed": "✗", "not run": "·", "not graded": "?"}
BINS = 10
HARDEST = 10  # a list to read before the next lecture, no second heat map

_HIGH, _WIDE = 120, 40  # of the histogram: the highest bar, and each bar with its gap

Link = Callable[[StudentGrades], Html]


def outcome(check: CheckResult) -> str:
    """Return a check's verdict, or "not graded" where the kit itself broke."""
    return "not graded" if check.reason == "kit" else check.verdict


def css(outcome: str) -> str:
    """Return the class of an outcome."""
    return outcome.replace(" ", "-")


def legend() -> Html:
    """Return what the signs of the heat map say."""
    signs = [
        tag("span", tag("span", sign, class_=f"sign {css(name)}"), f" {name}")
        for name, sign in SIGNS.items()
    ]
    return tag("p", *signs, class_="legend")


def heat_map(grades: Grades, suite: Suite, link: Link) -> Html:
    """Return a table of students by checks, the checks in the order of the work."""
    known: dict[str, CheckResult] = {}
    for one in grades.students:
        for check in grade_of(one, suite).checks:
            known.setdefault(check.id, check)
    parts = [(part, checks) for part, checks in by_part(suite, known.values()) if checks]
    if not parts:
        return tag("p", "No check was run.")
    heads = [
        tag(
            "th",
            tag("span", f"{part.title} (hidden)" if part.hidden else part.title),
            scope="colgroup",
            colspan=str(len(checks)),
            class_="part",
        )
        for part, checks in parts
    ]
    columns = [[check.id for check in checks] for _, checks in parts]
    rows = [
        tag("tr", tag("th", link(one), scope="row"), *_row(grade_of(one, suite), columns, known))
        for one in grades.students
    ]
    head = tag("tr", tag("th", "Student", scope="col"), tag("th", "Points", scope="col"), *heads)
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="heat")
    return tag("div", table, class_="scroll")


def _row(grade: LabGrade, columns: list[list[str]], known: dict[str, CheckResult]) -> list[Html]:
    if not grade.checks:
        why = f"{grade.state}: {grade.trouble}" if grade.trouble else grade.state
        span = sum(len(part) for part in columns)
        return [tag("td"), tag("td", why, colspan=str(span), class_=css(grade.state))]
    own = {check.id: check for check in grade.checks}
    cells = [
        _cell(own.get(name), known[name], first=at == 0)
        for part in columns
        for at, name in enumerate(part)
    ]
    points = number(grade.points) if grade.state == "graded" else SIGNS["not graded"]
    return [tag("td", points, class_="n"), *cells]


def _cell(own: CheckResult | None, known: CheckResult, *, first: bool) -> Html:
    seen = outcome(own) if own else "not graded"
    title = f"{known.part}: {known.title}"
    if own and own.sentence and seen != "passed":
        title += f"\n{own.sentence}"
    return tag("td", SIGNS[seen], class_=css(seen) + " first" * first, title=title)


def histogram(grades: Grades, suite: Suite) -> Html:
    """Return how many students have how many points, as a picture with a line below."""
    every = [grade_of(one, suite) for one in grades.students]
    points = [grade.points for grade in every if grade.state == "graded"]
    bins = [0] * BINS
    for value in points:
        share = value / suite.max_points if suite.max_points else 0
        bins[min(BINS - 1, max(0, int(share * BINS)))] += 1
    scale = _HIGH / max(1, *bins)
    drawn = []
    for at, count in enumerate(bins):
        left, high = at * _WIDE, round(count * scale, 1)
        top = _HIGH + 16 - high
        box = {"x": str(left + 2), "y": str(top), "width": str(_WIDE - 4), "height": str(high)}
        drawn.append(tag("rect", **box))
        if count:
            middle = str(left + _WIDE // 2)
            drawn.append(tag("text", str(count), x=middle, y=str(top - 4)))
    for at in range(0, BINS + 1, 2):
        edge = number(suite.max_points * at / BINS)
        drawn.append(tag("text", edge, x=str(at * _WIDE), y=str(_HIGH + 32), class_="axis"))
    told = f"{len(points)} graded"
    for state in ("not graded", "missing"):
        count = sum(grade.state == state for grade in every)
        told += f", {count} {state}" if count else ""
    if points:
        told += f"; median {number(median(points))}, mean {number(mean(points))}"
        told += f", from {number(min(points))} to {number(max(points))}"
    picture = tag(
        "svg",
        *drawn,
        role="img",
        viewBox=f"-14 0 {BINS * _WIDE + 28} {_HIGH + 38}",
        aria_label="points of the class",
    )
    return joined(picture, tag("p", told))


def hardest(grades: Grades, suite: Suite) -> Html:
    """Return the checks that most programs fail, with what is said of them most often."""
    failed: dict[str, list[CheckResult]] = {}
    for one in grades.students:
        for check in grade_of(one, suite).checks:
            if check.verdict == "failed":
                failed.setdefault(check.id, []).append(check)
    ranked = sorted(failed.values(), key=len, reverse=True)[:HARDEST]
    if not ranked:
        return tag("p", "No check failed.")
    graded = sum(bool(grade_of(one, suite).checks) for one in grades.students)
    return tag("ol", *(_hard(checks, graded) for checks in ranked), class_="hardest")


def _hard(checks: list[CheckResult], graded: int) -> Html:
    sentence, times = Counter(check.sentence for check in checks).most_common(1)[0]
    return tag(
        "li",
        tag("b", str(len(checks))),
        f" of {graded}  ",
        tag("span", f"{checks[0].part}: ", class_="quiet"),
        checks[0].title,
        tag("p", sentence, tag("span", f" ({counted(times, 'time')})", class_="quiet")),
        style=f"--share: {100 * len(checks) / graded:.0f}%",
    )
