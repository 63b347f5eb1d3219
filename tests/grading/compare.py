"""What changed between two gradings of a class, and why: `--compare OLD`.

Ann Doe  lab4  80 -> 85
  Framing  3 of 8 -> 8 of 8
  + a message that comes in two pieces is one message

Marks of a check: + passes now, - fails now, ~ is not checked any more, or not on this system.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reports.grades import FORM, GRADES
from reports.words import counted, number, one_line, score

Form = Mapping[str, Any]  # of a grading, or of something in it, as `Grades.as_dict` makes it

_MISSING: Form = {"state": "missing", "points": 0, "trouble": ""}


class CompareError(Exception):
    """A grading that cannot be compared; the text is one line with the file and the reason."""


def read(path: Path) -> dict[str, Any]:
    """Return a grading from its grades.json, or from the folder with it. Raises CompareError."""
    file = path / GRADES if path.is_dir() else path
    try:
        grading = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CompareError(f"{file}: {error.strerror}") from None
    except ValueError:
        raise CompareError(f"{file}: not JSON") from None
    if not isinstance(grading, dict) or grading.get("form") != FORM:
        raise CompareError(f"{file}: not of the form {FORM}")
    return grading


def differences(old: Form, new: Form) -> list[str]:
    """Return as lines whose points or state changed, and why, in the order of the new grading.

    A lab that only one of the gradings has takes one line, not one for each student.
    """
    old_suites, new_suites = _by("lab", old["suites"]), _by("lab", new["suites"])
    lines = [f"{lab}  was not graded before" for lab in new_suites if lab not in old_suites]
    lines += [f"{lab}  is not graded this time" for lab in old_suites if lab not in new_suites]
    people = _people(old["students"], new["students"])
    names = Counter(student["name"] for student, _, _ in people)
    for student, before, after in people:
        unique = names[student["name"]] == 1
        who = student["name"] if unique else f"{student['name']} ({student['id']})"
        for lab in (lab for lab in new_suites if lab in old_suites):
            was, now = _grade(before, lab), _grade(after, lab)
            if _told(was) != _told(now):
                lines.append(f"{one_line(who)}  {lab}  {_change(was, now)}")
                why = _why(was, now, old_suites[lab], new_suites[lab]) if was and now else ()
                lines += [f"  {line}" for line in why]
    return lines


def _people(old: list[Form], new: list[Form]) -> list[tuple[Form, Form | None, Form | None]]:
    """Return each student with what was before and what is now: first those of the new grading."""
    left = list(old)
    twins: dict[int, Form] = {}
    for same in (_same_id, _same_name):
        for at, one in enumerate(new):
            twin = next((other for other in left if at not in twins and same(one, other)), None)
            if twin is not None:
                twins[at] = twin
                left.remove(twin)
    here = [(one["student"], twins.get(at), one) for at, one in enumerate(new)]
    return [*here, *((one["student"], one, None) for one in left)]


def _same_id(one: Form, other: Form) -> bool:
    return bool(one["student"]["id"]) and one["student"]["id"] == other["student"]["id"]


def _same_name(one: Form, other: Form) -> bool:
    """Say whether two students have one name, and not each an id of their own."""
    names_agree = one["student"]["name"] == other["student"]["name"]
    return names_agree and not (one["student"]["id"] and other["student"]["id"])


def _grade(student: Form | None, lab: str) -> Form | None:
    """Return a student's grade for a lab; None if the student is not there at all."""
    return _by("lab", student["labs"]).get(lab, _MISSING) if student else None


def _told(grade: Form | None) -> str:
    if grade is None:
        return ""
    return number(grade["points"]) if grade["state"] == "graded" else str(grade["state"])


def _change(was: Form | None, now: Form | None) -> str:
    if was is None:
        return f"new: {_told(now)}"
    return f"{_told(was)} -> {_told(now)}" if now else f"{_told(was)}, no longer there"


def _why(was: Form, now: Form, old_suite: Form, new_suite: Form) -> Iterator[str]:
    if was["state"] != "graded" or now["state"] != "graded":
        for when, grade in (("before", was), ("now", now)):
            if grade["trouble"]:
                yield f"{when}: {one_line(grade['trouble'])}"
        return
    if was["attempt"] != now["attempt"]:
        yield f"attempt {now['attempt']} of {now['attempts']} counts, before {was['attempt']}"
    if was["penalty"] != now["penalty"]:
        penalty = f"penalty {number(was['penalty'])} -> {number(now['penalty'])}"
        yield f"{penalty}, {counted(now['days_late'], 'day')} late"
    old_scores, new_scores = _scores(was, old_suite), _scores(now, new_suite)
    for part in old_scores | new_scores:
        before, after = (scores.get(part, "nothing") for scores in (old_scores, new_scores))
        if before != after:
            yield f"{part}  {before} -> {after}"
    old_checks, new_checks = _by("id", was["checks"]), _by("id", now["checks"])
    for check in new_checks | old_checks:
        yield from _of_check(old_checks.get(check), new_checks.get(check))


def _scores(grade: Form, suite: Form) -> dict[str, str]:
    """Return what each part gave, and what it could have given, by the parts' titles."""
    return {
        part["title"]: score(grade["parts"].get(part["module"], 0), part["max_points"])
        for part in suite["parts"]
    }


def _of_check(was: Form | None, now: Form | None) -> Iterator[str]:
    """Yield the line about one check, if it ends in another way than before."""
    if _mark(was) == _mark(now):
        return
    if now:
        sentence = f": {one_line(now['sentence'])}" if now["sentence"] else ""
        yield f"{_mark(now)} {now['title']}{'' if was else ' (a new check)'}{sentence}"
    elif was:
        yield f"~ {was['title']}: no longer checked"


def _mark(check: Form | None) -> str:
    if check is None:
        return ""
    if check["reason"] == "system":
        return "~"
    return "+" if check["verdict"] == "passed" else "-"


def _by(key: str, forms: Iterable[Form]) -> dict[str, Form]:
    return {form[key]: form for form in forms}
