"""The scaffold: labs/ is what the solutions make it, and gives nothing of them away."""

from collections import Counter
from pathlib import Path

import pytest

from kit import scaffold
from kit.scaffold import LABS, SOLUTIONS, Gap, MarkerError

ROOT = Path(__file__).parents[2]
MOST_GAPS = 17  # what a course ends with; an evening's lab has a handful
LONGEST_GAP = 15  # lines: about a dozen
TELLING = 12  # characters: a shorter line, such as "try:", gives nothing away

SOLUTION = """\
def serve(sock):
    # gap 1: Send it back.
    #   To where it came from.
    while True:
        reply(sock)
    # end gap
"""


def solved_files() -> list[Path]:
    return [file for file in scaffold.sources(ROOT) if file.suffix == ".py"]


def gaps_by_lab() -> dict[str, list[tuple[Path, Gap]]]:
    found: dict[str, list[tuple[Path, Gap]]] = {}
    for file in solved_files():
        text = (ROOT / SOLUTIONS / file).read_text(encoding="utf-8")
        for gap in scaffold.gaps(text, str(file)):
            found.setdefault(file.parts[0], []).append((file, gap))
    return found


def test_a_gap_becomes_a_todo() -> None:
    assert scaffold.scaffold(SOLUTION, "server.py") == (
        "def serve(sock):\n"
        "    # TODO 1: Send it back.\n"
        "    #   To where it came from.\n"
        '    raise NotImplementedError("TODO 1")\n'
    )


def test_a_gap_that_is_not_opened_stays_as_it_is() -> None:
    assert scaffold.scaffold(SOLUTION, "server.py", opened=[2]) == SOLUTION


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# gap 1: A.\nx\n", "s.py:1: gap 1 has no end"),
        ("# gap 1: A.\nx\n# gap 2: B.\ny\n# end gap\n", "s.py:1: gap 1 has no end"),
        ("x\n# end gap\n", "s.py:2: 'end gap' without a gap"),
        ("# gap 1: A.\n# end gap\n", "s.py:1: gap 1 is empty"),
    ],
)
def test_markers_that_do_not_fit_are_named(text: str, complaint: str) -> None:
    with pytest.raises(MarkerError, match=complaint):
        scaffold.scaffold(text, "s.py")


def test_making_the_scaffold_again_changes_nothing(tmp_path: Path) -> None:
    scaffold.make(ROOT, tmp_path)

    for file in scaffold.sources(ROOT):
        assert (tmp_path / file).read_bytes() == (ROOT / LABS / file).read_bytes(), file


def test_no_line_of_a_solution_is_left_in_the_scaffold() -> None:
    for file in solved_files():
        solution = (ROOT / SOLUTIONS / file).read_text(encoding="utf-8")
        scaffolded = (ROOT / LABS / file).read_text(encoding="utf-8")
        of_gaps = Counter(
            line.strip()
            for gap in scaffold.gaps(solution, str(file))
            for line in gap.body
            if len(line.strip()) >= TELLING
        )
        given = Counter(line.strip() for line in solution.splitlines()) - of_gaps
        left = Counter(line.strip() for line in scaffolded.splitlines())
        assert not [line for line in of_gaps if left[line] > given[line]], file
        assert "# gap" not in scaffolded, file


def test_no_line_of_a_solution_is_in_a_document() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    documents = "\n".join(file.read_text("utf-8") for file in files)
    for lab, gaps in gaps_by_lab().items():
        for _, gap in gaps:
            told = [line.strip() for line in gap.body if len(line.strip()) >= TELLING]
            assert not [line for line in told if line in documents], f"{lab}, gap {gap.number}"


def test_the_gaps_of_a_lab_are_few_short_and_numbered_from_1() -> None:
    for lab, gaps in gaps_by_lab().items():
        assert sorted(gap.number for _, gap in gaps) == list(range(1, len(gaps) + 1)), lab
        assert 2 <= len(gaps) <= MOST_GAPS, lab
        assert max(len(gap.body) for _, gap in gaps) <= LONGEST_GAP, lab


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a project with two labs, as a student has it."""
    for lab in ("lab1_echo", "lab2_more"):
        folder = tmp_path / SOLUTIONS / lab
        folder.mkdir(parents=True)
        (folder / "server.py").write_text(SOLUTION, encoding="utf-8")
    (tmp_path / SOLUTIONS / "__init__.py").touch()
    (tmp_path / SOLUTIONS / "frame.py").write_text("the frame\n", encoding="utf-8")
    scaffold.make(tmp_path, tmp_path / LABS)
    return tmp_path


def test_a_reset_keeps_what_was_there_beside_it(copy: Path) -> None:
    mine, other = copy / LABS / "lab1_echo/server.py", copy / LABS / "lab2_more/server.py"
    for file in (mine, other):
        file.write_text("my work: світ\n", encoding="utf-8")

    first = scaffold.reset(copy, "lab1")
    mine.write_text("my second try\n", encoding="utf-8")
    scaffold.reset(copy, "lab1")

    assert first[0] == "kept what was there: labs/lab1_echo.kept-1"
    kept = [(copy / LABS / f"lab1_echo.kept-{n}/server.py").read_text("utf-8") for n in (1, 2)]
    assert kept == ["my work: світ\n", "my second try\n"]
    assert "TODO 1" in mine.read_text("utf-8")
    assert other.read_text("utf-8") == "my work: світ\n"


def test_a_reset_without_changes_keeps_nothing(copy: Path) -> None:
    assert scaffold.reset(copy, "lab1") == ["labs/lab1_echo is as it was in the beginning"]
    assert not list((copy / LABS).glob("*kept*"))


def test_a_reset_of_no_known_lab_says_which_there_are(copy: Path) -> None:
    with pytest.raises(KeyError, match="there is no lab9; there are lab1, lab2"):
        scaffold.reset(copy, "lab9")
