"""What every lab has: 100 points, a handout, an untouched scaffold that names its first TODO."""

import re
from pathlib import Path

import pytest

from kit import scaffold
from kit.lab import TOTAL_POINTS
from proof.subjects import Subject, suite_of

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(folder.name for folder in (ROOT / "tests").glob("lab[0-9]*_*"))
UNFINISHED = [folder for folder in FOLDERS if folder != "lab0_hello"]


def anchors(document: Path) -> set[str]:
    """Return the anchors that a forge makes of the headings of a document."""
    headings = re.findall(r"^#+ +(.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_solution_has_a_suite() -> None:
    assert sorted(folder.name for folder in (ROOT / scaffold.SOLUTIONS).glob("lab*")) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_lab_has_100_points(folder: str) -> None:
    checks = Subject(folder, "all").tried("--collect-only")["checks"]

    assert sum(check["max_points"] for check in checks) == TOTAL_POINTS


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_part_has_its_section_in_the_handout(folder: str) -> None:
    lab = suite_of(folder)
    for part in lab.parts:
        document, _, section = lab.handout(part).partition("#")
        assert section in anchors(ROOT / document), part.title


@pytest.mark.parametrize("folder", UNFINISHED)
def test_the_untouched_scaffold_scores_0_and_names_its_first_todo(folder: str) -> None:
    result = Subject(folder, "untouched", opened=None).tried()

    assert result["points"] == 0
    assert result["exit_code"] == 1
    assert result["checks"][0]["sentence"] == "TODO 1 waits for you"
    assert {check["verdict"] for check in result["checks"]} == {"not run"}


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text("utf-8")):
            file, _, anchor = target.partition("#")
            linked = (document.parent / file).resolve() if file else document
            assert linked.exists(), f"{document.name}: {target}"
            assert not anchor or anchor in anchors(linked), f"{document.name}: {target}"
