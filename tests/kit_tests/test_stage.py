"""A stage: what a check may play again, and what it may not."""

from types import SimpleNamespace
from typing import Any

import pytest

from kit.failure import Failure, Seen
from kit.stage import TRIES, Stage


@pytest.fixture
def stage() -> Stage:
    house: Any = SimpleNamespace(seed=1)
    return Stage(house, "a check")


def failing(stage: Stage, idle: float, silence: float) -> list[float]:
    """Play a scenario that fails, with so long a silence; return what it was given."""
    given: list[float] = []

    def scenario(idle: float) -> None:
        given.append(idle)
        stage.silence = silence
        raise Failure("bob was dropped", Seen("closed"))

    with pytest.raises(Failure, match="bob was dropped"):
        stage.unless_slow(idle, scenario)
    return given


def test_what_fails_at_the_right_pace_has_failed(stage: Stage) -> None:
    assert failing(stage, 1.0, silence=0.4) == [1.0]


def test_where_the_test_was_too_slow_it_is_played_again_with_more_time(stage: Stage) -> None:
    assert failing(stage, 1.0, silence=0.9) == [1.0, 2.0]


def test_whoever_makes_the_test_slow_fails_in_the_last_try(stage: Stage) -> None:
    assert failing(stage, 1.0, silence=60.0) == [2.0**number for number in range(TRIES)]


def test_what_passes_is_not_played_again(stage: Stage) -> None:
    given: list[float] = []

    stage.unless_slow(1.0, given.append)

    assert given == [1.0]
