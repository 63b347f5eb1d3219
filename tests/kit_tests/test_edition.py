"""The students' edition: what is in it, and above all what is not."""

import ast
import functools
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from grading import course
from kit import edition, scaffold
from kit.scaffold import LABS, PRISTINE, SOLUTIONS, Gap

ROOT = Path(__file__).parents[2]
EVERY = [*edition.suites(ROOT)]
EDITIONS: list[list[str]] = [[], *([lab] for lab in EVERY if lab not in edition.ALWAYS), EVERY]
LAB = "lab1_echo"
TELLING = 16  # characters: what is shorter gives nothing away
IDIOMS = {  # nor do these, which the suites and the kit say in their own right
    "deadline = time.monotonic() + PATIENCE",
    "except OSError as error:",
    "except UnicodeDecodeError:",
    "received += piece",
    "with contextlib.suppress(OSError):",
    "with self._lock:",
}
A_LINE = "datagram, address = sock.recvfrom(MAX_DATAGRAM)"

of_every_edition = pytest.mark.parametrize("labs", EDITIONS, ids=lambda labs: "-".join(labs))


def pieces(labs: Iterable[str]) -> Iterator[list[str] | Gap]:
    """Yield the gaps of all labs, and between them the given code of these labs' programs."""
    given = edition.files(ROOT, labs)
    for file in scaffold.sources(ROOT):
        if file.suffix != ".py":
            continue
        text = (ROOT / SOLUTIONS / file).read_text(encoding="utf-8")
        for is_gap, parts in groupby(scaffold.parts(text, str(file)), lambda p: isinstance(p, Gap)):
            if is_gap:
                yield from (part for part in parts if isinstance(part, Gap))
            elif f"{LABS}/{file.as_posix()}" in given:
                yield said("\n".join(part for part in parts if isinstance(part, str)))


def said(text: str) -> list[str]:
    """Return the lines of a text, without blanks around them, and without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


Passages = tuple[set[str], set[tuple[str, str]]]


@functools.cache
def telling(labs: tuple[str, ...]) -> Passages:
    """Return what must not be in an edition with these labs, of the solution of any gap.

    That is each line of TELLING characters, and each two lines, one after the other, which have
    so many together; not what is an idiom, and not what is given code of the edition as well.
    """
    given = [piece for piece in pieces(labs) if not isinstance(piece, Gap)]
    gaps = [said("\n".join(piece.body)) for piece in pieces(labs) if isinstance(piece, Gap)]
    code = "\n".join("\n".join(piece) for piece in given)
    lines = {line for body in gaps for line in body if len(line) >= TELLING} - IDIOMS
    pairs = {pair for body in gaps for pair in pairwise(body) if len("".join(pair)) >= TELLING}
    pairs -= {pair for piece in given for pair in pairwise(piece)}
    return {line for line in lines if line not in code}, pairs


def leaks(labs: list[str], contents: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return which of these contents, given by name, have bytecode or what tells a solution.

    A line tells wherever it stands, so also within another one.
    """
    lines, pairs = telling(tuple(labs))
    found = []
    for name, data in contents:
        text = data.decode(errors="replace")
        told = [line for line in lines if line in text]
        told += [" | ".join(pair) for pair in pairs & {*pairwise(said(text))}]
        found += [f"{name}: {passage}" for passage in told]
        if ".pyc" in name:
            found.append(name)
    return found


def in_repository(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file of a folder, and each object that its git has; a tree as a name."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file.read_bytes()
    objects = io.BytesIO(git(folder, "cat-file", "--batch", "--batch-all-objects"))
    while head := objects.readline():
        name, kind, size = head.decode().split()
        data = objects.read(int(size) + 1)
        yield (str(data), b"") if kind == "tree" else (name, data)


def git(folder: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True).stdout


def commit(folder: Path, *words: str) -> None:
    git(folder, *words)
    git(folder, *edition.NOBODY, "commit", "--quiet", "-m", "A change")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an edition with all labs, which no test may change."""
    folder = tmp_path_factory.mktemp("edition")
    edition.write(edition.files(ROOT, EVERY), folder)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a small edition, as a student has it."""
    edition.write(edition.files(ROOT, []), tmp_path / "own")
    return tmp_path / "own"


@of_every_edition
def test_no_line_of_a_solution_is_in_an_edition(labs: list[str]) -> None:
    assert leaks(labs, edition.files(ROOT, labs).items()) == []


def test_no_line_of_a_solution_is_in_the_repository_and_its_history(whole: Path) -> None:
    assert len([*in_repository(whole)]) > 200
    assert leaks(EVERY, in_repository(whole)) == []


def test_what_is_planted_is_found_also_where_only_the_history_has_it(own: Path) -> None:
    planted = {
        "docs/en/lab1.md": f"Write `{A_LINE}`, for example.\n",
        "tests/lab1_echo/test_udp_server.py": "    lock.notify_all()\n",
        "tests/lab1_echo/lab.py": "received += piece\n\nreturn received\n",
        "labs/lab1_echo/__pycache__/udp_server.cpython-310.pyc": "compiled\n",
    }
    for name, text in planted.items():
        (own / name).parent.mkdir(exist_ok=True)
        with (own / name).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    found = leaks([], in_repository(own))
    assert {leak.partition(":")[0] for leak in found} == planted.keys()
    assert len(found) == len(planted)

    commit(own, "add", "--all", "--force")
    commit(own, "rm", "--quiet", "-r", ".")

    assert len(leaks([], in_repository(own))) == len(planted)


@of_every_edition
def test_every_link_of_an_edition_leads_to_a_file_of_it(labs: list[str]) -> None:
    files = edition.files(ROOT, labs)
    documents = {name: data.decode() for name, data in files.items() if name.endswith(".md")}
    assert {"README.md", "docs/en/students.md", "docs/en/lab1.md"} <= documents.keys()
    for name, text in documents.items():
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            assert (Path(name).parent / target).as_posix() in files, f"{name}: {target}"


@of_every_edition
def test_an_edition_names_no_lab_and_no_program_that_it_has_not(labs: list[str]) -> None:
    there = {*edition.ALWAYS, *labs}
    for name, data in edition.files(ROOT, labs).items():
        if name.endswith(".md") or name.startswith(LABS):
            named = re.findall(r"(lab\d)_\w+[./]|nox -s (?:\w+ -- )?(lab\d)", data.decode())
            assert {one or other for one, other in named} <= there, name
            assert "solutions" not in data.decode(), name


def test_marks_stand_where_a_forge_does_not_show_them_and_nowhere_in_an_edition() -> None:
    for document in (ROOT / "docs").rglob("*.md"):
        assert not re.search("^ *<!--", document.read_text("utf-8"), re.MULTILINE), document
    assert not any(b"<!-- " in data for data in edition.files(ROOT, EVERY).values())


def test_the_repository_has_one_commit_on_main_and_the_same_content_each_time(
    whole: Path, tmp_path: Path
) -> None:
    files = edition.files(ROOT, reversed(EVERY))
    edition.write(files, tmp_path)

    assert git(tmp_path, "log", "--all", "--format=%s %D").decode() == "Socket Labs HEAD -> main\n"
    assert git(tmp_path, "status", "--short", "--ignored") == b""
    assert git(tmp_path, "ls-files", "-z").decode().split("\0")[:-1] == [*files]
    trees = {git(folder, "rev-parse", "HEAD^{tree}") for folder in (whole, tmp_path)}
    assert len(trees) == 1


@pytest.mark.parametrize(
    ("known", "author"),
    [
        ("[user]\nname = Олена\nemail = olena@uni.edu\n", "Олена <olena@uni.edu>"),
        ("[user]\nname = Олена\n", "Socket Labs <socket-labs@example.invalid>"),
    ],
)
def test_the_commit_is_the_users_whom_git_knows_else_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str, author: str
) -> None:
    (tmp_path / "config").write_text(known, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("EMAIL", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another"))  # as in a hook

    edition.write({"README.md": b"# Labs\n"}, tmp_path / "out")

    monkeypatch.delenv("GIT_DIR")
    assert git(tmp_path / "out", "log", "--format=%an <%ae>").decode().strip() == author
    assert not (tmp_path / "another").exists()


def test_what_cannot_be_made_is_an_error_of_one_line_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/mine.txt").touch()

    assert said_of(monkeypatch, capsys, tmp_path / "work") == (
        f"[ERROR] {tmp_path / 'work'} is there already, and is no empty folder\n"
    )
    assert said_of(monkeypatch, capsys, tmp_path / "out", "--lab", "lab9") == (
        f"[ERROR] there is no lab 'lab9': {', '.join(EVERY)}\n"
    )
    monkeypatch.setattr(edition, "NOBODY", ("--no-such-option",))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert said_of(monkeypatch, capsys, tmp_path / "out").startswith("[ERROR] git --no-such-option")
    monkeypatch.setenv("PATH", "")
    assert said_of(monkeypatch, capsys, tmp_path / "out") == (
        "[ERROR] git is needed, and is not installed\n"
    )

    assert [*tmp_path.rglob("*.*")] == [tmp_path / "work/mine.txt"]


def said_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], out: Path, *words: str
) -> str:
    """Return what the command says on stderr when it refuses to make an edition."""
    monkeypatch.setattr(sys, "argv", ["edition.py", "--out", str(out), *words])
    assert edition.main() == 2
    return capsys.readouterr().err


def test_a_student_is_offered_what_needs_no_solution_and_told_of_nothing_else(whole: Path) -> None:
    noxfile = ast.parse((whole / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in noxfile.body if isinstance(node, ast.FunctionDef)]
    sessions = {one.name for one in functions if one.decorator_list}

    assert {"reset"} <= sessions <= {"export", "progress", "reset", "trace", "watch"}
    assert ast.unparse(noxfile).endswith("nox.main()")
    for document in whole.rglob("*.md"):
        told = re.findall(r"nox -s (\w+)", document.read_text(encoding="utf-8"))
        assert {*told} <= {*sessions, *EVERY}, document


def test_no_room_of_an_edition_needs_one_that_it_has_not(whole: Path) -> None:
    missing = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    missing -= {path.name for path in (whole / "tests").iterdir()}
    assert {"grading", "kit_tests", "proof"} <= missing
    for file in whole.rglob("*.py"):
        needed = re.findall(r"^ *(?:from|import) (\w+)", file.read_text("utf-8"), re.MULTILINE)
        assert not missing & {*needed}, file
    run = re.findall(r'"(?:tests/)?(\w+)[".]', (whole / "noxfile.py").read_text("utf-8"))
    assert "kit" in run
    assert not missing & {*run}


def test_a_lab_is_given_back_from_the_pristine_scaffold(own: Path) -> None:
    mine = own / LABS / LAB / "udp_server.py"
    mine.write_text("my work: світ\n", encoding="utf-8")

    done = scaffold.reset(own, "lab1")

    assert done[0] == f"kept what was there: {LABS}/{LAB}.kept-1"
    assert mine.read_bytes() == (ROOT / LABS / LAB / "udp_server.py").read_bytes()
    assert (own / LABS / f"{LAB}.kept-1/udp_server.py").read_text("utf-8") == "my work: світ\n"
    assert git(own, "status", "--short") == b""


def test_labs_and_the_pristine_scaffold_are_what_the_kit_has_in_labs(whole: Path) -> None:
    for file in scaffold.sources(ROOT):
        for folder in (LABS, PRISTINE):
            assert (whole / folder / file).read_bytes() == (ROOT / LABS / file).read_bytes()


def test_of_the_shared_modules_an_edition_has_those_that_its_programs_import() -> None:
    shared = {
        lab: [
            Path(name).stem for name in edition.files(ROOT, [lab]) if re.match("labs/[a-z]", name)
        ]
        for lab in ("lab2", "lab3", "lab4")
    }

    assert "clients" not in shared["lab2"]
    assert "clients" in shared["lab3"]
    assert "terminal" not in shared["lab3"]
    assert "terminal" in shared["lab4"]


def test_a_submission_is_graded_with_what_an_edition_has(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = course.programs("lab4_chat")
    monkeypatch.setattr(course, "ROOT", whole)

    assert sorted(course.programs("lab4_chat")) == sorted(programs)


def test_the_checks_of_an_edition_try_the_students_programs(own: Path) -> None:
    name = f"{LAB}/udp_server.py"
    shutil.copyfile(ROOT / SOLUTIONS / name, own / LABS / name)

    done = tried(own, f"tests/{LAB}/test_udp_server.py", "-k", "sender")
    refused = tried(own, f"tests/{LAB}", "--solutions")

    assert "score 2 of 2 " in done.stdout
    assert done.returncode == 0
    assert refused.stderr == f"ERROR: there is no folder {own / 'solutions'}\n\n"


def test_where_no_check_has_the_name_one_that_there_is_is_told(own: Path) -> None:
    none = tried(own, f"tests/{LAB}/test_udp_server.py", "-k", "nosuch")

    assert none.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "no check has such a name; one is called test_a_datagram_comes" in none.stdout


def tried(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run checks of an edition as its noxfile does."""
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(
        command, cwd=folder, check=False, capture_output=True, encoding="utf-8", timeout=60
    )
