"""One submission judged where a course system runs us, so that it cannot touch its own result."""

import os
import tempfile
from pathlib import Path

from autograder.order import NotGraded, Order
from grading import protection
from grading.course import programs
from grading.intake import Submission, take_in
from grading.run import ROOT, Judge, Judged, Listener
from grading.students import Roster

LIMIT = 480.0  # seconds; Gradescope ends everything after ten minutes, Classroom 50 after fifteen


def take(order: Order, folder: Path) -> tuple[Submission, str]:
    """Take in what lies in a folder; return it, and what was amiss with it as a whole, or "".

    Where nothing of the lab is found, that is a submission in which nothing is done. Raises
    NotGraded if there is no folder.
    """
    if not folder.is_dir():
        raise NotGraded(f"there is no folder {folder}")
    taken = take_in(folder, order.lab, programs(order.lab), Roster())
    amiss = f"Nothing was found to grade: {taken.trouble}" if taken.trouble else ""
    taken.trouble = ""
    return taken, amiss


def judge(taken: Submission, listener: Listener = lambda known: ()) -> Judged:
    """Judge a submission, whose programs run as another user, or in boxes.

    The listener is that of `Judge`. Raises NotGraded, ProtectionError.
    """
    with tempfile.TemporaryDirectory(prefix="socket-labs-") as name:
        work = Path(name).resolve()
        work.chmod(0o755)  # programs run as another user
        shield = protection.choose("auto", work)
        print(f"protection: {shield.told}", flush=True)
        if shield.box == "none":
            raise NotGraded("programs could write their own result here: be root, or have bwrap")
        _keep_private()
        judged = Judge(work, shield, LIMIT, listener).judge(taken, 0)
    if judged.trouble:
        raise NotGraded(judged.trouble)
    return judged


def _keep_private() -> None:
    """Close the suites and their hidden checks to the user that programs run as."""
    if os.getuid() == 0:
        for place in (ROOT / "tests").iterdir():
            if place.name != "kit":
                place.chmod(0o700)
