"""A ladder as a picture: SVG that needs nothing else, no script and no font of its own.

Its width comes from what is in it, and each step has a place of its own, so that nothing lies upon
another. Texts are measured in columns, as monospaced fonts have them; wide characters take two.
"""

from collections.abc import Iterable
from html import escape
from itertools import groupby

from pictures.ladder import Ladder, Step
from pictures.texts import cut, visible, width, wrapped

# Lengths are in pixels.
CHAR = 7.9  # a column of the font at 13 px: no usual monospaced font has wider ones
LINE = 18  # from one line of text to the next
EDGE = 16  # around the picture
TIMES = 60  # the column of times
SIDE = 110  # from there, and from the right edge, to the nearest lifeline
NARROWEST = 700
NEAR, FAR = 88, 470  # from one lifeline to the next
ROOM = 900  # for all lifelines, if they can stand so near to each other
LABEL = 480  # for a text whose arrow is shorter
HEAD = 30  # a column's name in its box

PAUSE = 0.5  # seconds in which nothing happens, and which are shown
MOST_LINES = 3  # of one text
MANY_STEPS = 25  # the names stand also below so many

# What each colour is for, on a light page and on a dark one.
COLOURS = {
    "paper": ("#ffffff", "#0d1117"),
    "text": ("#1f2328", "#e6edf3"),
    "quiet": ("#59636e", "#9198a1"),
    "rail": ("#c8d1da", "#3d444d"),
    "box": ("#f0f3f6", "#1c2330"),
    "to": ("#0757ba", "#69b1ff"),
    "from": ("#1a7f37", "#4cc85f"),
    "warn": ("#8a5a00", "#e0a92e"),
    "bad": ("#cf222e", "#ff7b72"),
    "pale": ("#ffebe9", "#3c1618"),
}
FONTS = """
.ladder text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  text-anchor: middle; white-space: pre; }
.ladder .title { font: bold 15px system-ui, "DejaVu Sans", sans-serif; text-anchor: start; }
.ladder .name, .ladder .sentence { font-weight: bold; }
.ladder .left { text-anchor: start; }
.ladder .small { font-size: 12px; }
.ladder line, .ladder rect { stroke-width: 1.3px; }
"""


def picture(ladder: Ladder, title: str) -> str:
    """Return the SVG of a ladder, light or dark as the reader likes it."""
    drawing = _Drawing(ladder)
    drawing.title(title)
    drawing.heads()
    top = drawing.y
    for (printed, *_), steps in groupby(ladder.steps, _printer):
        if printed:
            drawing.printed(list(steps))
        else:
            for step in steps:
                drawing.step(step)
    bottom = drawing.y
    drawing.end()
    wide, high = f"{drawing.width:.0f}", f"{drawing.y + EDGE:.0f}"
    rails = [_line(x, top, x, bottom, "rail") for x in drawing.places.values()]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" role="img" width="{wide}"'
        f' height="{high}" viewBox="0 0 {wide} {high}">',
        f"<title>{escape(visible(title))}</title>",
        f"<style>{FONTS}{_style()}</style>",
        f'<rect class="paper" width="{wide}" height="{high}"/>',
        *rails,
        *drawing.parts,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Drawing:
    """What has been drawn down to `y`."""

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder
        self.left = EDGE + (TIMES if ladder.timed else 0)
        self.places, self.width = _places(ladder, self.left)
        self.room = self.width - EDGE - self.left
        self.y = float(EDGE)
        self.parts: list[str] = []
        self._shown_time = ""
        self._latest = 0.0

    def title(self, title: str) -> None:
        """Write the title."""
        most = int((self.width - 2 * EDGE) / (CHAR * 1.1))
        for text in wrapped(visible(title), most, MOST_LINES):
            self.y += LINE
            self.parts.append(_text(EDGE, self.y - 4, text, "title text"))
        self.y += 10

    def heads(self) -> None:
        """Write the columns' names: those of programs in filled boxes."""
        first, second = [*self.places.values(), self.width][:2]
        gap = second - first
        for name, x in self.places.items():
            short = cut(name, int((gap - 14) / CHAR))
            colour = "box" if name in self.ladder.programs else "paper"
            wide = width(short) * CHAR + 14
            self.parts.append(_box(x - wide / 2, self.y, wide, HEAD, f"{colour} rail-line"))
            self.parts.append(_text(x, self.y + 20, short, "name text"))
        self.y += HEAD + 6

    def end(self) -> None:
        """Write the names again below a long picture."""
        self.y += 6
        if len(self.ladder.steps) > MANY_STEPS:
            self.heads()
        if {"tcp", "udp"} <= {step.wire for step in self.ladder.steps}:
            self.y += LINE
            self.parts.append(_text(EDGE, self.y, "dashed: UDP", "left small quiet"))

    def step(self, step: Step) -> None:
        """Draw a step below those before it."""
        self._pause(step)
        if step.kind == "arrow" and step.to != step.column:
            self._arrow(step)
        elif step.kind == "wait" and step.seconds >= PAUSE / 5:
            self._wait(step)
        elif step.kind == "fail":
            self._fail(step)
        elif step.kind == "cut":
            self._cut(step)
        else:
            self._note(step)

    def printed(self, steps: list[Step]) -> None:
        """Draw what a program printed, lines that follow each other as they stand in a terminal."""
        self._pause(steps[0])
        self._time(steps[0], self.y + 13)
        most = int((self.room - 12) / CHAR)
        lines = [line for step in steps for line in wrapped(step.text, most, MOST_LINES)]
        self._lines(self.places[steps[0].column], lines, _small(steps[0]), "box", left=True)
        self.y += 4

    def _pause(self, step: Step) -> None:
        """Leave a gap, with its seconds, where nothing happened."""
        passed, self._latest = step.time - self._latest, step.time
        if self.ladder.timed and passed >= PAUSE and step.kind not in ("wait", "cut"):
            self.y += 8
            self._gap(self.places.values(), 12)
            self.parts.append(_text(EDGE, self.y + 11, f"{passed:.1f} s", "left small warn"))
            self.y += 20

    def _time(self, step: Step, y: float) -> None:
        told = f"{step.time:.3f}" if self.ladder.timed else ""
        if told != self._shown_time:
            self.parts.append(_text(EDGE, y, told, "left small quiet"))
        self._shown_time = told

    def _arrow(self, step: Step) -> None:
        start, end = self.places[step.column], self.places[step.to]
        colour = "to" if step.to in self.ladder.programs else "from"
        text = f"{step.text} ({step.flag})" if step.flag else step.text
        self._time(step, self.y + 13)
        span = abs(end - start)
        self._label((start + end) / 2, text, span - 16 if span > LABEL / 2 else LABEL, colour)
        self.y += 5
        dashes = ' stroke-dasharray="6 4"' if step.wire == "udp" else ""
        self.parts.append(_line(start, self.y, end, self.y, colour, dashes))
        back = 9 if end < start else -9
        corners = f"{end:.0f},{self.y:.0f} {end + back:.0f},{self.y - 4:.0f}"
        corners += f" {end + back:.0f},{self.y + 4:.0f}"
        self.parts.append(f'<polygon class="{colour}" points="{corners}"/>')
        self.y += 12

    def _note(self, step: Step) -> None:
        starts = step.kind == "start"
        text = f"$ {step.text}" if starts else step.text
        self._time(step, self.y + 13)
        x = self.places[step.column]
        self._label(x, text, self.room - 12, _small(step), "box" if starts else "paper")
        self.y += 4

    def _wait(self, step: Step) -> None:
        """Leave a gap in the lifeline of who waits, the longer the wait, the longer the gap."""
        told = step.text if " s" in step.text else f"{step.text} ({step.seconds:.1f} s)"
        x, above = self.places[step.column], min(40.0, 8 + 6 * step.seconds)
        for part in (above, 0, above):
            if part:
                self._gap([x], part)
                self.y += part
            else:
                self._label(x, told, self.room, "small warn")
        self._time(step, self.y)

    def _gap(self, places: Iterable[float], high: float) -> None:
        for x in places:
            self.parts.append(_box(x - 3, self.y, 6, high, "paper"))
            dots = ' stroke-dasharray="2 4"'
            self.parts.append(_line(x, self.y, x, self.y + high, "warn", dots))

    def _fail(self, step: Step) -> None:
        x, wide = self.places[step.column], self.width - 2 * EDGE
        self.parts.append(_line(x - 8, self.y, x + 8, self.y + 16, "bad", ' stroke-width="3"'))
        self.parts.append(_line(x - 8, self.y + 16, x + 8, self.y, "bad", ' stroke-width="3"'))
        self.y += 24
        most = int((wide - 24) / CHAR)
        lines = [(text, "sentence bad") for text in wrapped(step.text, most, MOST_LINES)]
        for detail in step.details:
            lines += [(text, "text") for text in wrapped(detail, most, MOST_LINES)]
        high = len(lines) * LINE + 14
        self.parts.append(_box(EDGE, self.y, wide, high, "pale bad-line"))
        for at, (text, colour) in enumerate(lines):
            y = self.y + 20 + at * LINE
            self.parts.append(_text(EDGE + 12, y, text, f"left {colour}"))
        self.y += high

    def _cut(self, step: Step) -> None:
        self.y += 8
        self._gap(self.places.values(), 12)
        self.y += 12
        self._label(self.left + self.room / 2, step.text, self.room, "warn")
        self._gap(self.places.values(), 12)
        self.y += 20

    def _label(self, x: float, text: str, room: float, css: str, box: str = "paper") -> None:
        """Write a text around `x`, in the room that is given."""
        self._lines(x, wrapped(text, int(min(room, self.room) / CHAR), MOST_LINES), css, box)

    def _lines(self, x: float, lines: list[str], css: str, box: str, *, left: bool = False) -> None:
        """Write lines around `x`, but within the picture, on a box that hides the lifelines."""
        wide = max(width(line) for line in lines) * CHAR + 10
        x = min(max(x, self.left + wide / 2), self.width - EDGE - wide / 2)
        self.parts.append(_box(x - wide / 2, self.y, wide, len(lines) * LINE, box))
        for line in lines:
            self.y += LINE
            place, align = (x - wide / 2 + 5, "left ") if left else (x, "")
            self.parts.append(_text(place, self.y - 5, line, align + css))


def _printer(step: Step) -> tuple[bool, str, str]:
    """Return what lines of one printout have in common."""
    return step.kind == "print", step.column, step.mark


def _small(step: Step) -> str:
    if step.mark == "!":
        return "small warn"
    return "small text" if step.kind in ("start", "print") else "small quiet"


def _places(ladder: Ladder, left: float) -> tuple[dict[str, float], float]:
    """Return where the lifelines stand, and how wide the picture is."""
    columns = ladder.columns
    at = {name: place for place, name in enumerate(columns)}
    texts = [
        width(step.text) * CHAR + 40
        for step in ladder.steps
        if step.to and abs(at[step.to] - at[step.column]) == 1
    ]
    names = max(min(width(name) * CHAR + 24, FAR) for name in columns)
    most = max(NEAR, min(FAR, ROOM / max(1, len(columns) - 1)))
    gap = max(NEAR, min(most, max([2 * NEAR, names, *texts])))
    rails = gap * (len(columns) - 1)
    printed = max(
        (width(step.text) * CHAR for step in ladder.steps if _printer(step)[0]), default=0
    )
    wide = left + max(NARROWEST - left, 2 * SIDE + rails, min(ROOM, printed + 2 * EDGE)) + EDGE
    first = left + (wide - EDGE - left - rails) / 2
    return {name: first + gap * place for place, name in enumerate(columns)}, wide


def _style() -> str:
    light, dark = (
        "".join(
            f".ladder .{name} {{ fill: {pair[at]}; }} "
            f".ladder .{name}-line {{ stroke: {pair[at]}; }}\n"
            for name, pair in COLOURS.items()
        )
        for at in (0, 1)
    )
    return f"{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _text(x: float, y: float, text: str, css: str) -> str:
    return f'<text class="{css}" x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'


def _box(x: float, y: float, wide: float, high: float, css: str) -> str:
    size = f'width="{wide:.0f}" height="{high:.0f}"'
    return f'<rect class="{css}" x="{x:.0f}" y="{y:.0f}" {size} rx="4"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    ends = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
    return f'<line class="{colour}-line" {ends}{more}/>'
