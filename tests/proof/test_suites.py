"""Right programs pass, wrong ones fail for the right reason, and every gap matters."""

from collections.abc import Callable
from typing import Any

import pytest

from proof import golden
from proof.subjects import (
    PROOF,
    Subject,
    chaffs,
    labs,
    one_part_done,
    open_gaps,
    part_of,
    parts_with_programs,
    suite_of,
    wheats,
)

# A check that waits errs towards passing, and many bugs are races: beside other suites on a busy
# machine a wrong program may get away, or fail in one more place. Right programs get no other run.
FURTHER_RUNS = 2


def subjects(make: Callable[[str], list[Subject]]) -> pytest.MarkDecorator:
    """Parametrize a test with the subjects of every lab."""
    found = [subject for lab in labs() for subject in make(lab)]
    return pytest.mark.parametrize("subject", found, ids=[f"{s.lab}-{s.name}" for s in found])


@subjects(wheats)
def test_a_right_program_of_any_architecture_passes_every_check(
    subject: Subject, result: dict[str, Any]
) -> None:
    assert golden.told(result) == ""
    assert result["points"] == result["max_points"]
    assert result["exit_code"] == 0


@subjects(open_gaps)
def test_an_open_gap_is_named_by_the_checks_and_costs_points(
    subject: Subject, result: dict[str, Any]
) -> None:
    todo = subject.name.rpartition(": ")[2]
    first = next(check for check in result["checks"] if check["verdict"] != "passed")
    assert first["sentence"] == f"{todo} waits for you"
    assert result["exit_code"] == 1


@subjects(one_part_done)
def test_filling_the_gaps_of_one_part_turns_exactly_its_checks_green(
    subject: Subject, result: dict[str, Any]
) -> None:
    parts = {part.module: set(part.todos) for part in suite_of(subject.lab).parts}
    done = {module for module, todos in parts.items() if todos <= parts[subject.name]}
    for check in result["checks"]:
        module = check["id"].partition("/")[2].partition(".py")[0]
        assert (check["verdict"] == "passed") == (module in done), check["id"]


@subjects(chaffs)
def test_a_wrong_program_fails_for_the_right_reason(
    subject: Subject,
    result: dict[str, Any],
    again: Callable[[], dict[str, Any]],
    accept: dict[Subject, str] | None,
) -> None:
    told = golden.told(result)
    expected = golden.read(PROOF / subject.lab / "golden.txt").get(subject.name, "")
    if accept is not None:
        assert "✗" in told, "no check notices this bug"
        accept[subject] = expected if told in golden.texts(expected) else told
        return
    for _ in range(FURTHER_RUNS):
        if told in golden.texts(expected):
            break
        told = golden.told(again())
    assert told in golden.texts(expected), f"it told\n{told}\n\ninstead of\n{expected}"


@pytest.mark.parametrize("lab", labs())
def test_every_check_has_a_chaff_that_fails_it_alone(lab: str) -> None:
    texts = golden.read(PROOF / lab / "golden.txt")
    assert list(texts) == [subject.name for subject in chaffs(lab)]
    parts, alone = set(), set()
    for name, text in texts.items():
        part = part_of(lab, name.partition(":")[0])
        parts.add(part)
        failed = {
            tuple(line.removeprefix("✗ ") for line in one.splitlines() if line.startswith("✗"))
            for one in golden.texts(text)
        }
        alone |= {(part, titles[0]) for titles in failed if len(failed) == len(titles) == 1}
    checks = Subject(lab, "all").tried("--collect-only")["checks"]
    every = {
        (check["id"].partition("test_")[2].partition(".py")[0], check["title"]) for check in checks
    }
    assert parts >= parts_with_programs(lab), "a part has no wrong programs"
    assert {check for check in every - alone if check[0] in parts} == set()
