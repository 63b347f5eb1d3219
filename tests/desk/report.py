"""The report: a page with every lab's result, and a picture of each story that went wrong.

It is one file, which asks for nothing from outside and runs no script.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from desk import kept
from kit import system
from pictures import drawn as draw
from reports.markup import Html, joined, tag
from reports.markup import page as whole_page
from reports.words import counted, score

SIGNS = {"passed": "✓", "failed": "✗", "not run": "·", "not graded": "?"}
LONG = 12  # lines of a message that are shown at once; a longer one opens with a click

Lab = dict[str, Any]
Check = dict[str, Any]
Drawn = Mapping[str, bytes]
"""The pictures that there are already, as SVG, by the id of their check: drawing takes time."""


def page(labs: list[Lab], drawn: Drawn | None = None) -> str:
    """Return the page of labs in the result form, in this order."""
    return whole_page(
        ", ".join(_name(lab) for lab in labs),
        tag("h1", "Socket Labs"),
        _at_a_glance(labs),
        *(_lab(lab, drawn or {}) for lab in labs),
        style=Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
    )


def write(folder: Path, labs: list[Lab], drawn: Drawn | None = None) -> Path:
    """Write `report.html` into `.labs`, whole or not at all, and return where it is.

    `labs` are those of the run that is over; of all others the page shows the last whole run.
    """
    run = {lab["lab"]: lab for lab in labs}
    known = run | {lab["lab"]: lab for lab in _kept(folder, run)}
    text = page([lab for _, lab in sorted(known.items())], drawn)
    file = folder / kept.REPORT
    system.write(file, text)
    return file


def _kept(folder: Path, but: Iterable[str]) -> Iterable[Lab]:
    for file in folder.glob("lab*/result.json"):
        if file.parent.name not in but:
            try:
                yield kept.read_one(file, file.parent.name)
            except (OSError, kept.KeptError):  # `nox -s progress` tells of it
                continue


def _name(lab: Lab) -> str:
    return f"{lab['lab']} {lab['title']}"


def _at_a_glance(labs: list[Lab]) -> Html:
    rows = []
    for lab in labs:
        points, most = lab["points"], lab["max_points"]
        share = f"--share: {100 * points / most if most else 0:.0f}%"
        rows.append(
            tag(
                "tr",
                tag("th", tag("a", _name(lab), href=f"#{lab['lab']}"), scope="row"),
                tag("td", tag("span", class_="bar", style=share), " ", score(points, most)),
                tag("td", kept.next_step(lab)),
            )
        )
    return tag("table", tag("tbody", *rows), class_="rows glance")


def _lab(lab: Lab, drawn: Drawn) -> Html:
    first = kept.first_to_do(lab["checks"])
    parts: dict[str, list[Check]] = {}
    for check in lab["checks"]:
        parts.setdefault(check["part"], []).append(check)
    run = f"{lab['folder']}, ran {lab['duration']:.1f} s with --seed {lab['seed']}."
    some = "" if lab["whole"] else " in the chosen checks"
    return tag(
        "section",
        tag("h2", f"{_name(lab)}: {score(lab['points'], lab['max_points'])}{some}"),
        tag("p", run, class_="quiet"),
        *(_part(title, checks, first, drawn) for title, checks in parts.items()),
        id=lab["lab"],
    )


def _part(title: str, checks: list[Check], first: Check | None, drawn: Drawn) -> Html:
    passed = [check for check in checks if check["verdict"] == "passed"]
    told = [check for check in checks if check["verdict"] != "passed" and check["message"]]
    others = [check for check in checks if check["verdict"] != "passed" and not check["message"]]
    most = sum(check["max_points"] for check in checks if check["reason"] != "system")
    points = score(sum(check["points"] for check in checks), most)
    return joined(
        tag("h3", f"{title} ", _quiet(points)),
        *(_check(check, check is first, drawn) for check in told),
        _folded("not run", others),
        _folded("passed", passed),
    )


def _folded(what: str, checks: list[Check]) -> Html:
    if not checks:
        return Html()
    listed = [tag("li", f"{check['title']} ", _quiet(_note(check))) for check in checks]
    return _details(f"{counted(len(checks), 'check')} {what}", tag("ul", *listed))


def _note(check: Check) -> str:
    """Return what a check gave, or else why it was not run."""
    return check["sentence"] or score(check["points"], check["max_points"])


def _check(check: Check, first: bool, drawn: Drawn) -> Html:
    """Return a check that did not pass; what is to be looked at `first` is open."""
    seen = "not graded" if check["reason"] == "kit" else check["verdict"]
    has_picture = bool(check["verdict"] == "failed" and check["story"])
    message = tag("pre", check["message"])
    if has_picture or check["message"].count("\n") >= LONG:
        message = joined(
            tag("p", check["sentence"]),
            tag("p", f"Likely cause: {check['hint']}") if check["hint"] else "",
            _details("the picture", _picture(check, drawn), is_open=first) if has_picture else "",
            _details("the message", message, is_open=first and not has_picture),
        )
    sign = tag("span", SIGNS[seen], class_=f"sign {seen.replace(' ', '-')}")
    points = _quiet(score(check["points"], check["max_points"]))
    next_ = joined(" ", tag("span", "next", class_="mark")) if first else ""
    return tag(
        "div", tag("h4", sign, f" {check['title']} ", points, next_), message, class_="check"
    )


def _picture(check: Check, drawn: Drawn) -> Html:
    """Return the story as a picture, whose text can be searched and copied."""
    there = drawn.get(check["id"])
    picture = there.decode() if there else draw(check)
    return tag("div", Html(picture), class_="scroll")


def _details(summary: str, inside: Html, *, is_open: bool = False) -> Html:
    state = {"open": "open"} if is_open else {}
    return tag("details", tag("summary", summary), inside, **state)


def _quiet(text: str) -> Html:
    return tag("span", text, class_="quiet")
