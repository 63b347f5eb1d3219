"""A class being judged: several submissions at once, and how far that is."""

import queue
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from grading.intake import Submission
from grading.run import Judge, Judged
from reports.words import one_line

BAR = 30  # characters


def judge_all(
    judge: Judge, submissions: Iterable[Submission], jobs: int, again: bool
) -> dict[int, Judged]:
    """Judge submissions, several at once; return what came of each by its place."""
    judged: dict[int, Judged] = {}
    todo: dict[int, Submission] = {}
    for place, submission in enumerate(submissions):
        earlier = None if again or submission.trouble else judge.known(submission)
        if submission.trouble:
            judged[place] = Judged(trouble=submission.trouble)
        elif earlier:
            judged[place] = earlier
        else:
            todo[place] = submission
    if earlier_ones := sum(not one.trouble for one in judged.values()):
        print(f"{earlier_ones} are as they were when they were graded", flush=True)
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(jobs):
        slots.put(slot)

    def judge_one(submission: Submission) -> Judged:
        slot = slots.get()
        try:
            return judge.judge(submission, slot)
        except (OSError, ValueError) as error:
            return Judged(trouble=f"it cannot be judged: {error}")
        finally:
            slots.put(slot)

    progress = Progress(len(todo))
    with ThreadPoolExecutor(jobs, "judge") as pool:
        futures = {pool.submit(judge_one, todo[place]): place for place in todo}
        try:
            for future in _as_completed(futures):
                judged[futures[future]] = future.result()
                progress.step(todo[futures[future]].student.name)
        except BaseException:
            judge.stop()
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            progress.end()
    return judged


class Progress:
    """How many submissions are done, and how long the rest will take; on stderr."""

    def __init__(self, count: int) -> None:
        self._count, self._done, self._began = count, 0, time.monotonic()
        self._moves = sys.stderr.isatty()

    def step(self, name: str) -> None:
        """Count one more, that of `name`."""
        self._done += 1
        left = (time.monotonic() - self._began) / self._done * (self._count - self._done)
        minutes, seconds = divmod(round(left), 60)
        told = f"{self._done} of {self._count}, {minutes}:{seconds:02} left"
        if self._moves:
            full = BAR * self._done // self._count
            text = f"\r[{'#' * full}{'.' * (BAR - full)}] {told} "
        else:
            text = f"{told}: {one_line(name)}\n"
        sys.stderr.write(text)
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line of the bar."""
        if self._moves and self._done:
            sys.stderr.write("\n")


def _as_completed(futures: Mapping[Future[Judged], int]) -> Iterator[Future[Judged]]:
    """Yield futures as they end; wait in slices, as Windows lets no Ctrl+C through otherwise."""
    left = set(futures)
    while left:
        done, left = wait(left, timeout=0.5, return_when=FIRST_COMPLETED)
        yield from done
