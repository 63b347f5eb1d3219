"""The emulator: what line editors write ends up where a terminal would show it."""

from kit.terminal import COLUMNS, ROWS, shown


def test_lines_stand_below_each_other_and_scroll_away() -> None:
    terminal = shown("".join(f"line {number}\r\n" for number in range(ROWS)))

    assert terminal.rows[0] == "line 1"
    assert terminal.rows[-2:] == [f"line {ROWS - 1}", ""]
    assert terminal.current == ""


def test_a_line_can_be_overwritten_and_wiped_out() -> None:
    assert shown("[all] half\r\x1b[Kalice: hi\n[all] half").rows[:2] == ["alice: hi", "[all] half"]
    assert shown("[all] half\rbob: hi").current == "bob: hialf"
    assert shown("abc\b \b").current == "ab"
    assert shown("one\ntwo\x1b[2J\x1b[Hnew").rows[:2] == ["new", ""]


def test_the_cursor_moves() -> None:
    assert shown("one\ntwo\x1b[A\x1b[2Dx\x1b[5Gy").rows[:2] == ["oxe y", "two"]
    assert shown("one\x1b[3;2Htwo").rows[:3] == ["one", "", " two"]
    assert shown("abc\x1b[2D\x1b[Px\x1b[@y\x1b[L").rows[:2] == ["", "axy"]


def test_a_full_row_ends_with_the_next_character() -> None:
    assert shown("x" * COLUMNS + "\rY").rows[:2] == ["Y" + "x" * (COLUMNS - 1), ""]
    assert shown("x" * COLUMNS + "y").rows[:2] == ["x" * COLUMNS, "y"]


def test_wide_characters_take_two_cells() -> None:
    assert shown("日本\x1b[5Gx").current == "日本x"
    assert shown("x" * (COLUMNS - 1) + "日").rows[1] == "日"


def test_colours_modes_and_titles_leave_no_trace() -> None:
    assert shown("\x1b[?2004h\x1b[1;31mred\x1b[0m\x1b]0;title\x07\x1b(B!").current == "red!"
