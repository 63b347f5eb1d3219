"""Submissions in: whatever they come as, only the lab's own files are taken."""

import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Literal

import pytest

from grading.intake import Submission, entries, take_in
from grading.students import Roster, RosterError, read_roster, student_of
from reports.grades import Student

LAB, PROGRAMS = "lab4_chat", ("server", "client")
SERVER = b"print('a server')\n"

Pack = Callable[[Path, dict[str, bytes]], Path]


def folder(parent: Path, files: dict[str, bytes]) -> Path:
    """Make a submission that is a folder."""
    for name, data in files.items():
        file = parent / "ann" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return parent / "ann"


def zipped(parent: Path, files: dict[str, bytes]) -> Path:
    """Make a submission that is a zip."""
    with zipfile.ZipFile(parent / "ann.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return parent / "ann.zip"


def tarred(parent: Path, files: dict[str, bytes]) -> Path:
    """Make a submission that is a tar."""
    with tarfile.open(parent / "ann.tar.gz", "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return parent / "ann.tar.gz"


def taken(entry: Path) -> Submission:
    """Return what is taken of an entry."""
    return take_in(entry, LAB, [f"{name}.py" for name in PROGRAMS], Roster())


@pytest.mark.parametrize("pack", [folder, zipped, tarred])
@pytest.mark.parametrize("place", ["", "lab4_chat/", "my work/labs/lab4_chat/", "lab4/"])
def test_the_labs_files_are_found_wherever_they_lie(tmp_path: Path, pack: Pack, place: str) -> None:
    entry = pack(tmp_path, {f"{place}server.py": SERVER, f"{place}more/rules.py": b"# rules"})

    submission = taken(entry)

    assert submission.trouble == ""
    assert submission.student == Student("ann")
    assert submission.files == {
        PurePosixPath("server.py"): SERVER,
        PurePosixPath("more/rules.py"): b"# rules",
    }


@pytest.mark.parametrize("pack", [folder, zipped, tarred])
def test_of_a_whole_clone_the_labs_folder_alone_is_taken(tmp_path: Path, pack: Pack) -> None:
    entry = pack(
        tmp_path,
        {
            "kit/solutions/lab4_chat/server.py": b"# stolen",
            "kit/labs/lab4_chat/server.py": SERVER,
            "kit/labs/lab4_chat/conftest.py": b"# forged",
            "kit/labs/lab4_chat/server.cpython-311.pyc": b"\0",
            "kit/labs/frame.py": b"# forged",
            "kit/tests/lab4_chat/test_all.py": b"# forged",
            "kit/.git/config": b"",
        },
    )

    submission = taken(entry)

    assert submission.files == {PurePosixPath("server.py"): SERVER}
    assert submission.left_out == [
        "conftest.py: not for a lab to have",
        "server.cpython-311.pyc: not source",
    ]


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("name", ["/etc/passwd", "../../evil.py", "a/../../evil.py", "C:\\evil.py"])
def test_a_name_that_leads_outside_is_left_out(tmp_path: Path, pack: Pack, name: str) -> None:
    submission = taken(pack(tmp_path, {"server.py": SERVER, name: b"# evil"}))

    assert submission.files == {PurePosixPath("server.py"): SERVER}
    assert len(submission.left_out) == 1


@pytest.mark.parametrize(
    ("names", "student"),
    [
        (
            ("Зоя_7_assignsubmission_file_server.py", "Зоя_7_assignsubmission_file_client.py"),
            Student("Зоя", "7"),
        ),
        (
            ("doeann_LATE_12_901_server-1.py", "doeann_LATE_12_1002_client-1.py"),
            Student("doeann", "12", days_late=1.0),
        ),
    ],
)
def test_files_that_are_handed_in_one_by_one_are_one_submission(
    tmp_path: Path, names: tuple[str, str], student: Student
) -> None:
    server, client = (tmp_path / name for name in names)
    server.write_bytes(SERVER)
    client.write_bytes(b"# a client")
    (tmp_path / names[0].replace("7", "8").replace("12", "13")).write_bytes(b"# another's")
    (tmp_path / names[0].replace("server", "report").replace(".py", ".pdf")).touch()

    handed_in = [taken(entry) for entry in entries(tmp_path)]

    (one,) = (one for one in handed_in if one.student == student and not one.absent)
    assert one.files == {
        PurePosixPath("server.py"): SERVER,
        PurePosixPath("client.py"): b"# a client",
    }
    assert len(handed_in) == 3


def test_a_link_among_files_that_are_handed_in_one_by_one_is_left_out(tmp_path: Path) -> None:
    server = tmp_path / "doeann_12_901_server.py"
    server.write_bytes(SERVER)
    (tmp_path / "doeann_12_902_client.py").symlink_to(server)

    assert taken(server).left_out == ["client.py: a link"]
    assert taken(server).files == {PurePosixPath("server.py"): SERVER}


def test_a_link_is_left_out(tmp_path: Path) -> None:
    entry = folder(tmp_path, {"server.py": SERVER})
    (entry / "client.py").symlink_to(tmp_path / "elsewhere.py")
    (entry / "rules").symlink_to(tmp_path)
    archive = tmp_path / "bob.tar"
    with tarfile.open(archive, "w") as opened:
        info = tarfile.TarInfo("server.py")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(info)

    assert taken(entry).left_out == ["client.py: a link", "rules: a link"]
    assert taken(archive).left_out == ["server.py: a link"]
    assert taken(archive).trouble.startswith("there is no folder lab4_chat")


def test_what_cannot_be_read_is_said_and_stops_nobody(tmp_path: Path) -> None:
    whole = zipped(tmp_path, {"server.py": SERVER * 1_000})
    half = tmp_path / "bob.zip"
    half.write_bytes(whole.read_bytes()[:60])
    text = tmp_path / "carl.txt"
    text.write_text("I could not do it", encoding="utf-8")
    bomb = tmp_path / "dave.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"server{number}.py", bytes(30_000_000))

    assert taken(half).trouble == "it is empty, cut off or damaged"
    assert taken(text).trouble == "it is neither a folder nor a zip nor a tar"
    assert taken(bomb).trouble.startswith("it has more than")
    for name in ("roster.csv", "grading.toml", ".DS_Store"):
        (tmp_path / name).touch()
    assert entries(tmp_path) == [whole, half, text, bomb]


@pytest.mark.parametrize("mode", ["zip", "w:", "w:gz", "w:bz2", "w:xz"])
def test_a_damaged_archive_is_said_to_be_one_whatever_byte_is_wrong(
    tmp_path: Path, mode: Literal["zip", "w:", "w:gz", "w:bz2", "w:xz"]
) -> None:
    entry = tmp_path / "зоя.zip"
    names = ("lab4_chat/server.py", "lab4_chat/отчёт.py")
    if mode == "zip":
        with zipfile.ZipFile(entry, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, SERVER * 100)
    else:
        with tarfile.open(entry, mode) as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(SERVER)
                archive.addfile(info, io.BytesIO(SERVER))
    whole, seed = entry.read_bytes(), random.randrange(1_000)
    numbers = random.Random(seed)

    for _ in range(300):
        data = bytearray(whole[: numbers.randrange(1, len(whole) + 1)])
        for _ in range(numbers.randrange(4)):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        entry.write_bytes(data)
        submission = taken(entry)  # raises nothing
        assert submission.trouble or submission.files, f"seed {seed}"


def test_of_several_archives_in_a_folder_the_one_with_the_lab_is_taken(tmp_path: Path) -> None:
    entry = tmp_path / "боб"
    entry.mkdir()
    for name, place in (("lab1.zip", "lab1_echo/udp_server.py"), ("lab4.zip", "lab4/server.py")):
        with zipfile.ZipFile(entry / name, "w") as archive:
            archive.writestr(place, SERVER)

    assert taken(entry).files == {PurePosixPath("server.py"): SERVER}


def test_an_archive_in_an_archive_is_named(tmp_path: Path) -> None:
    entry = zipped(tmp_path, {"lab4.zip": b"PK"})

    assert taken(entry).trouble == "lab4.zip: an archive in an archive is not looked into"


def test_a_second_folder_of_the_lab_is_named(tmp_path: Path) -> None:
    entry = folder(tmp_path, {"new/lab4_chat/server.py": SERVER, "old/lab4_chat/server.py": b"#"})

    assert taken(entry).files == {PurePosixPath("server.py"): SERVER}
    assert taken(entry).left_out == ["old/lab4_chat: another folder of the lab"]


def test_why_there_is_nothing_is_said(tmp_path: Path) -> None:
    entry = zipped(tmp_path, {"C:\\Users\\ann\\lab4_chat\\server.py": SERVER})

    assert taken(entry).trouble.endswith(
        "; 1 left out, the first: C:/Users/ann/lab4_chat/server.py: an absolute path"
    )
    (tmp_path / "empty").mkdir()
    assert taken(tmp_path / "empty").trouble == "it is empty"


def test_a_zip_with_a_password_is_said_to_have_one(tmp_path: Path) -> None:
    entry = zipped(tmp_path, {"server.py": SERVER})
    data = entry.read_bytes()
    central = data.index(b"PK\1\2") + 8
    entry.write_bytes(data[:central] + b"\1" + data[central + 1 :])

    assert taken(entry).trouble == "it has a password"


def test_the_tree_has_the_scaffold_where_the_submission_has_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    submission = taken(folder(tmp_path, {"server.py": SERVER}))

    submission.write(root, tmp_path / "tree")

    labs = tmp_path / "tree" / "labs"
    assert (labs / LAB / "server.py").read_bytes() == SERVER
    assert (labs / LAB / "client.py").read_bytes() == (
        root / "labs/lab4_chat/client.py"
    ).read_bytes()
    assert (labs / "frame.py").exists()


def test_the_digest_changes_with_a_name_and_with_a_byte(tmp_path: Path) -> None:
    one = taken(folder(tmp_path, {"server.py": SERVER}))
    other = Submission(one.entry, one.student, LAB, {PurePosixPath("client.py"): SERVER})
    assert len({one.digest, other.digest, taken(folder(tmp_path, {"server.py": b"#"})).digest}) == 3


@pytest.mark.parametrize(
    ("entry", "student"),
    [
        ("Ann Doe_12345_assignsubmission_file_", Student("Ann Doe", "12345")),
        ("Олена Ш_7_assignsubmission_file_lab 4.zip", Student("Олена Ш", "7")),
        ("doeann_LATE_12345_67890_lab4-1.zip", Student("doeann", "12345", days_late=1.0)),
        ("doeann_12345_67890_my_lab.tar.gz", Student("doeann", "12345")),
        ("ann.tar.gz", Student("ann")),
        ("花子.rar", Student("花子")),
        ("Zack Zed.TAR.GZ", Student("Zack Zed")),
        ("ann_b", Student("ann_b")),
    ],
)
def test_a_name_tells_who_it_is_from(entry: str, student: Student) -> None:
    assert student_of(entry) == student


def test_the_roster_knows_by_id_and_by_a_name_that_is_unique(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(
        "\ufeffEmail;Name;ID;Group\nann@uni.edu;Ann Doe;12345;A\n"
        "b1@uni.edu;Bo Li;1;A\nb2@uni.edu;Bo Li;2;B\n",
        encoding="utf-8",
    )
    roster = read_roster(file)

    ann = Student("Ann Doe", "12345", "ann@uni.edu")
    assert roster.known(Student("annd", "12345")) == ann
    assert roster.known(Student("anndoe")) == ann
    assert roster.known(Student("Bo Li")) == Student("Bo Li")
    assert roster.known(Student("Bo Li", "2")).email == "b2@uni.edu"


def test_a_name_may_be_composed_in_either_way(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("name,id\nZo\u00eb Йович,12\n,\n", encoding="utf-8")

    assert read_roster(file).known(Student("Zoe\u0308 И\u0306ович")).id == "12"


@pytest.mark.parametrize("head", ["sep=;\r\n", "\r\n\r\n", ";;\r\n"])
def test_what_excel_puts_above_a_table_is_passed_over(tmp_path: Path, head: str) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes(f'\ufeff{head}name;id\r\n"Doe, Ann";12\r\nBo,Li;13\r\n'.encode())

    assert read_roster(file).known(Student("", "12")).name == "Doe, Ann"

    file.write_bytes(f"{head}name;id\r\n;12\r\n".encode())
    with pytest.raises(RosterError, match=f"csv:{head.count(chr(10)) + 2}: a student without"):
        read_roster(file)


def test_the_roster_knows_better_than_canvas_who_is_late(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("name;id;late\nОлена Ш;1;1,5\n山田 花子;2;0\nBo Li;3; \n", encoding="utf-8")
    roster = read_roster(file)

    known = [roster.known(Student("", number, days_late=1.0)) for number in "1234"]

    assert [student.name for student in known] == ["Олена Ш", "山田 花子", "Bo Li", ""]
    assert [student.days_late for student in known] == [1.5, 0.0, 1.0, 1.0]


@pytest.mark.parametrize("late", ["-1", "two", "nan", "1e3", "1:30", "99999"])
def test_a_number_of_days_that_is_none_is_named_with_its_line(tmp_path: Path, late: str) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(f"name,late\nann,1\nbo,{late}\n", encoding="utf-8")
    with pytest.raises(RosterError) as raised:
        read_roster(file)
    assert str(raised.value) == f"{file}:3: late is {late!r}, not a number of days"


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        (b"student,id\nann,1\n", "roster.csv:1: there is no column called name, only: student, id"),
        (b"Name,id,name\nann,1,bo\n", "roster.csv:1: two columns are called name"),
        (b"sep=;\nstudent;id\n", "roster.csv:2: there is no column called name, only: student, id"),
        (b"", "roster.csv:1: there is no column called name, only: nothing"),
        (b"name,id\nann,1\n,2\n", "roster.csv:3: a student without a name"),
        (b"name,id\n\xff,1\n", "roster.csv: not UTF-8"),
        (b"name,id\nann,3\nbo,3\n", "roster.csv:3: the id 3 is also on line 2"),
        (b"name\nann\nbo\nann\n", "roster.csv:4: the name ann is also on line 2"),
        (b'name,id\n"ann,1\nbo,2\n', "roster.csv:2: unexpected end of data"),
    ],
)
def test_a_bad_roster_is_named_with_its_line(tmp_path: Path, text: bytes, trouble: str) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes(text)
    with pytest.raises(RosterError) as raised:
        read_roster(file)
    assert str(raised.value).endswith(trouble)
