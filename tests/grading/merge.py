"""Shards of a class, graded on several machines, joined as if one had graded it: `--merge DIR…`.

All that it takes is the grades.json of each.
"""

from collections.abc import Iterable
from pathlib import Path

from grading import compare
from reports.grades import Grades, Shard, Suite

_ALIKE = {
    "of": "into another number of shards",
    "kit": "with another kit",
    "policy": "with another policy",
    "submissions": "of other submissions, or with another roster",
}


class MergeError(Exception):
    """Shards that make no class; the text is one line."""


def merged(places: Iterable[Path]) -> Grades:
    """Return the grades of a class from its shards: each place a grades.json or a folder with it.

    There is at least one place; all shards must be there, each once. Raises MergeError,
    CompareError.
    """
    read = [(place, *_read(place)) for place in places]
    first, _, model = read[0]
    found: dict[int, tuple[Path, Grades]] = {}
    for place, shard, grades in read:
        if difference := _difference(model, grades):
            raise MergeError(f"{place}: graded {difference} than {first}")
        if shard.number in found:
            other = found[shard.number][0]
            raise MergeError(f"{place}: shard {shard.number} of {shard.of} is also in {other}")
        found[shard.number] = place, grades
    if absent := [str(number) for number in range(1, shard.of + 1) if number not in found]:
        raise MergeError(f"of {shard.of} shards there is no {', '.join(absent)}")
    return _joined([found[number][1] for number in sorted(found)])


def _read(place: Path) -> tuple[Shard, Grades]:
    form = compare.read(place)
    try:
        grades = Grades.from_dict(form)
    except (AttributeError, KeyError, TypeError) as error:
        raise MergeError(f"{place}: no whole grading: {error}") from None
    if grades.shard is None:
        raise MergeError(f"{place}: no shard: it was graded without --shard")
    return grades.shard, grades


def _difference(first: Grades, grades: Grades) -> str:
    """Return in what two gradings differ that must not, or ""."""
    if _labs(first) != _labs(grades):
        return "in other labs"
    alike = (getattr(first.shard, name) == getattr(grades.shard, name) for name in _ALIKE)
    return next((told for told, same in zip(_ALIKE.values(), alike, strict=True) if not same), "")


def _joined(shards: list[Grades]) -> Grades:
    suites = zip(*(grades.suites for grades in shards), strict=True)
    return Grades(
        " or ".join(dict.fromkeys(grades.protection for grades in shards)),
        " or ".join(dict.fromkeys(grades.python for grades in shards)),
        " or ".join(dict.fromkeys(grades.system for grades in shards)),
        [max(same, key=_most) for same in suites],
        [one for grades in shards for one in grades.students],
    ).complete()


def _labs(grades: Grades) -> list[str]:
    return [suite.lab for suite in grades.suites]


def _most(suite: Suite) -> float:
    return suite.max_points
