"""Reports of a graded class: whatever is in them, they say it whole and to the right person."""

import csv
import io
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from grading import pages, tables
from kit.result import CheckResult
from reports import feedback
from reports.grades import Grades, LabGrade, Part, State, Student, StudentGrades, Suite
from reports.words import number

OLENA = Student("Олена Шевченко", "7", "olena@uni.edu")
TARO = Student("山田 太郎", "8", "taro@uni.edu")
FORMULA = Student("=cmd|' /C calc'!A0", "9", "-1@uni.edu")
BOLD = Student('<script src="//evil">*Bo*</script>', "10")

HOSTILE = '<script>alert(1)</script> & "quoted"\n````\n# no heading\n\x1b[2J\x00\ud800 end'
SUITE = Suite(
    "lab4",
    "Chat",
    100,
    [Part("test_login", "Login", 60), Part("test_secret", "Secret", 40, hidden=True)],
)


def check(name: str, module: str = "test_login", points: int = 2) -> CheckResult:
    """Return a check that passed."""
    part = next(part.title for part in SUITE.parts if part.module == module)
    return CheckResult(
        id=f"lab4_chat/{module}.py::{name}",
        lab="lab4",
        part=part,
        title=name.removeprefix("test_").replace("_", " "),
        max_points=2,
        verdict="passed",
        points=points,
    )


def failed(name: str, message: str, module: str = "test_login") -> CheckResult:
    """Return a check that failed."""
    result = check(name, module, points=0)
    result.verdict, result.message = "failed", message
    result.sentence = message.partition("\n")[0]
    return result


def not_run(name: str) -> CheckResult:
    """Return a check that builds on another."""
    result = check(name, points=0)
    result.verdict, result.reason, result.sentence = "not run", "builds on", "it builds on a name"
    return result


def graded(*checks: CheckResult, points: float, login: float, secret: float) -> LabGrade:
    """Return the grade of a lab that was graded, not late."""
    parts = {"test_login": login, "test_secret": secret}
    return LabGrade(
        *("lab4", "graded", 100, points, login + secret), parts=parts, checks=list(checks)
    )


@pytest.fixture
def grades() -> Grades:
    """Return a class of four: all passed, some failed, not graded, missing."""
    best = graded(
        *(check("test_a_name"), check("test_taken"), check("test_empty")),
        check("test_trap", "test_secret"),
        points=100,
        login=60,
        secret=40,
    )
    worse = graded(
        *(check("test_a_name"), failed("test_taken", HOSTILE), not_run("test_empty")),
        failed("test_trap", "the trap was found", "test_secret"),
        points=20.5,
        login=30.499,
        secret=0,
    )
    worse.days_late, worse.penalty = 1.5, 10
    worse.left_out = ["conftest.py: not for a lab to have", "`<img>`\n.pyc: not source"]
    broken = LabGrade("lab4", "not graded", 100, trouble="the kit <broke>\x07")
    labs = [(OLENA, best), (TARO, worse), (FORMULA, broken)]
    return Grades(
        *("bwrap", "3.11.2", "Linux", [SUITE]),
        [
            *(StudentGrades(student, [lab]) for student, lab in labs),
            StudentGrades(BOLD, [LabGrade("lab4", "missing", 100)]),
        ],
    )


class Page(HTMLParser):
    """A page as a browser sees it; one with a tag that is not closed is an error."""

    VOID = ("meta",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in the beginning of an element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take in the end of an element: of the one that was begun last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take in a text."""
        self.texts.append((self.open[-1] if self.open else "", data))

    def inside(self, tag: str) -> list[str]:
        """Return the texts that stand in elements of this name."""
        return [text for name, text in self.texts if name == tag]


def folder_of(student: Student) -> str:
    """Return a folder with all that an address must not have."""
    return f"{student.id} #%?{student.name[0]}"


def every_page(grades: Grades) -> list[str]:
    """Return the page of the class and those of its students."""
    return [pages.index(grades, folder_of), *(pages.student(grades, it) for it in grades.students)]


def test_every_page_is_whole_and_asks_for_nothing_from_outside(grades: Grades) -> None:
    for text in every_page(grades):
        page = Page(text)

        assert "http" not in text
        assert "url(" not in text
        assert "@import" not in text
        assert {"script", "link", "img"}.isdisjoint(tag for tag, _ in page.tags)
        assert not any("src" in attributes for _, attributes in page.tags)


def test_what_students_wrote_is_shown_and_never_taken_as_html(grades: Grades) -> None:
    for text in every_page(grades):
        assert "<script" not in text
        assert "<img" not in text
        assert not set("\x00\x07\x1b") & set(text)
        text.encode("utf-8")

    message, _ = Page(pages.student(grades, grades.students[1])).inside("pre")
    assert message.startswith('<script>alert(1)</script> & "quoted"\n````\n')
    assert message.endswith("\ufffd[2J\ufffd\ufffd end")


def test_each_name_leads_to_the_page_of_that_student(grades: Grades) -> None:
    page = Page(pages.index(grades, folder_of))

    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert links == {
        "#lab4",
        "#students",
        "students/7%20%23%25%3F%D0%9E/index.html",
        "students/8%20%23%25%3F%E5%B1%B1/index.html",
        "students/9%20%23%25%3F%3D/index.html",
        "students/10%20%23%25%3F%3C/index.html",
    }


def test_the_heat_map_has_a_sign_and_a_name_for_each_check(grades: Grades) -> None:
    page = Page(pages.index(grades, folder_of))

    cells = [attributes for tag, attributes in page.tags if tag == "td" and "title" in attributes]
    assert [cell["class"] for cell in cells[4:]] == [
        "passed first",
        "failed",
        "not-run",
        "failed first",
    ]
    assert cells[0]["title"] == "Login: a name"
    assert cells[7]["title"] == "Secret: trap\nthe trap was found"
    cells_of_two = ["✓", "✓", "✓", "✓", "✓", "✗", "·", "✗"]
    assert [text for text in page.inside("td") if text in "✓✗·?"] == cells_of_two
    assert "not graded: the kit <broke>\ufffd" in page.inside("td")


def test_the_class_at_a_glance_tells_points_and_what_most_fail(grades: Grades) -> None:
    text = pages.index(grades, folder_of)
    page = Page(text)

    told = "2 graded, 1 not graded, 1 missing; median 60.25, mean 60.25, from 20.5 to 100"
    assert told in page.inside("p")
    assert "the trap was found" in page.inside("p")
    assert page.inside("b") == ["1", "1"]
    assert {"100", "20.5", "not graded", "missing"} <= set(page.inside("td"))
    assert "1.5 days late, 10 points less" in page.inside("div")
    assert "prefers-color-scheme: dark" in text


def test_a_class_in_which_nothing_was_run_has_its_page_too(grades: Grades) -> None:
    grades.students = grades.students[2:]

    page = Page(pages.index(grades, folder_of))

    assert {"No check was run.", "No check failed.", "0 graded, 1 not graded, 1 missing"} <= set(
        page.inside("p")
    )


def test_a_students_page_has_hidden_parts_and_says_that_they_are(grades: Grades) -> None:
    page = Page(pages.student(grades, grades.students[1]))

    assert page.inside("h3") == ["Login", "Secret "]
    assert page.inside("span").count("hidden") == 2
    assert "the trap was found" in page.inside("pre")
    assert "1 check not run, as they build on others" in page.inside("summary")
    assert "1 check passed" in page.inside("summary")
    assert "lab4 Chat: 20.5 of 100" in page.inside("h2")


def test_a_long_message_waits_behind_what_may_be_its_cause(grades: Grades) -> None:
    long = failed("test_taken", "bob heard nothing\n" + "  and nothing more\n" * 20)
    long.hint, long.where = "there is no newline", ["server.py:48 in send"]
    grades.students[1].labs[0].checks[1] = long

    page = Page(pages.student(grades, grades.students[1]))

    assert "Likely cause: there is no newline" in page.inside("p")
    assert "server.py:48 in send" in page.inside("code")
    assert "bob heard nothing" in page.inside("summary")


def test_feedback_has_nothing_of_others_and_nothing_of_hidden_checks(grades: Grades) -> None:
    told = feedback.text(grades, grades.students[1])

    others = [word for who in (OLENA, FORMULA, BOLD) for word in (who.name, who.email) if word]
    assert not [word for word in others if word in told]
    assert "trap" not in told
    assert "| Secret (hidden) | 0 | 40 |" in told


def test_feedback_tells_points_penalty_and_what_did_not_pass(grades: Grades) -> None:
    told = feedback.text(grades, grades.students[1])

    assert told.startswith("# 山田 太郎\n\n## lab4 Chat: 20.5 of 100 points\n")
    assert "| Login | 30.5 | 60 |" in told
    assert "Earned: 30.5 points; 1.5 days late, 10 points less." in told
    assert "- `conftest.py: not for a lab to have`\n- `` `<img>` .pyc: not source ``\n" in told
    assert "**taken** (0 of 20)\n\n`````text\n<script>" in told
    assert "\ufffd[2J\ufffd\ufffd end\n`````\n" in told
    assert "Not run, as they build on others: 1 check." in told
    assert "a name" not in told


def test_feedback_of_a_lab_that_is_not_graded_says_why_and_gives_no_zero(grades: Grades) -> None:
    told = feedback.text(grades, grades.students[2])

    assert "## lab4 Chat: not graded\n\nWhat was amiss:\n\n```text\nthe kit <broke>\ufffd" in told
    assert "points" not in told


def test_feedback_does_not_name_the_hidden_check_in_which_the_kit_broke(grades: Grades) -> None:
    broken = check("test_trap", "test_secret")
    broken.verdict, broken.reason = "not run", "kit"
    grades.students[2].labs[0].checks = [broken]
    grades.students[2].labs[0].trouble = "trap: the kit itself broke"

    told = feedback.text(grades, grades.students[2])

    assert "trap" not in told
    assert "there was trouble in a hidden part" in told
    assert "trap: the kit itself broke" in Page(pages.student(grades, grades.students[2])).inside(
        "p"
    )


def test_what_checks_are_worth_adds_up_to_the_points_of_their_part(grades: Grades) -> None:
    worse = grades.students[1]
    cannot = check("test_long_paths", points=0)
    cannot.verdict, cannot.reason = "not run", "system"
    worse.labs[0].checks.append(cannot)

    page = Page(pages.student(grades, worse))

    told = [text for text in page.inside("span") if text.endswith(("0", "points"))]
    assert told == ["0 of 20", "costs no points", "0 of 20", "20 of 20", "0 of 40"]


def test_a_name_is_no_markdown(grades: Grades) -> None:
    told = feedback.text(grades, grades.students[3])

    assert told.startswith('# \\<script src="//evil"\\>\\*Bo\\*\\</script\\>\n')


def test_the_table_reads_back_and_has_no_formula(grades: Grades) -> None:
    told = tables.csv_text(grades)

    head, *rows = csv.reader(io.StringIO(told, newline=""))
    assert head == [
        *("name", "id", "email", "lab4 points", "lab4 max", "lab4 state", "lab4 days late"),
        *("lab4 penalty", "total"),
    ]
    assert rows == [
        ["Олена Шевченко", "7", "olena@uni.edu", "100", "100", "graded", "0", "0", "100"],
        ["山田 太郎", "8", "taro@uni.edu", "20.5", "100", "graded", "1.5", "10", "20.5"],
        ["'=cmd|' /C calc'!A0", "9", "'-1@uni.edu", "", "100", "not graded", "0", "0", ""],
        [BOLD.name, "10", "", "0", "100", "missing", "0", "0", "0"],
    ]
    assert "\r" not in told


@pytest.mark.parametrize("name", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_name_is_a_formula(grades: Grades, name: str) -> None:
    grades.students = [StudentGrades(Student(name), [])]

    rows = list(csv.reader(io.StringIO(tables.csv_text(grades), newline="")))

    assert rows[1][0] == "'" + name.replace("\r", " ").replace("\n", " ")


def test_junit_has_a_suite_for_each_student_with_the_right_counts(grades: Grades) -> None:
    root = ElementTree.fromstring(tables.junit(grades))

    counts = ("tests", "failures", "errors", "skipped")
    assert [[suite.get("name"), *map(suite.get, counts)] for suite in root] == [
        ["Олена Шевченко 7: lab4", "4", "0", "0", "0"],
        ["山田 太郎 8: lab4", "4", "2", "0", "1"],
        ["=cmd|' /C calc'!A0 9: lab4", "1", "0", "1", "0"],
        [f"{BOLD.name} 10: lab4", "1", "0", "0", "1"],
    ]
    failures = root[1].findall("testcase/failure")
    assert failures[0].get("message") == '<script>alert(1)</script> & "quoted"'
    assert (failures[0].text or "").endswith("# no heading\n\ufffd[2J\ufffd\ufffd end")
    names = [(case.get("classname"), case.get("name")) for case in root[1]]
    assert names[0] == ("lab4.Login", "test_a_name")
    assert len(set(names)) == 4
    (error,) = root[2].findall("testcase/error")
    assert error.get("message") == "the kit <broke>\ufffd"


@pytest.mark.parametrize("state", ["graded", "not graded", "missing"])
def test_a_total_is_open_while_one_of_the_labs_is_not_graded(grades: Grades, state: State) -> None:
    grades.suites.append(Suite("lab5", "Rooms", 50, []))
    for one in grades.students:
        one.labs.append(LabGrade("lab5", state, 50, points=10 * (state == "graded")))

    rows = list(csv.reader(io.StringIO(tables.csv_text(grades), newline="")))

    assert rows[1][-1] == {"graded": "110", "not graded": "", "missing": "100"}[state]
    assert rows[3][-1] == ""
    told = "in all labs" in feedback.text(grades, grades.students[0])
    assert told == (state != "not graded")
    Page(pages.index(grades, folder_of))
    Page(pages.student(grades, grades.students[0]))


@pytest.mark.parametrize(
    ("value", "text"),
    [(60, "60"), (60.0, "60"), (7.5, "7.5"), (100 / 3, "33.33"), (0.001, "0"), (-0.001, "0")],
)
def test_points_have_two_decimals_at_most(value: float, text: str) -> None:
    assert number(value) == text
