"""The picture of the states of a job, with the arrows and names of `TRANSITIONS`."""

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from tallystick import TRANSITIONS, State, Transition

WIDTH, HEIGHT = 120, 44
BOXES = {
    State.PENDING: (40, 100),
    State.RETRYING: (40, 270),
    State.RUNNING: (330, 185),
    State.COMPLETED: (640, 85),
    State.DISCARDED: (640, 185),
    State.CANCELLED: (640, 285),
}
WAITING, FINAL = (State.PENDING, State.RETRYING), (State.COMPLETED, State.DISCARDED, State.CANCELLED)
FRAMES = {"waiting": (20, 56, 160, 278), "final": (620, 50, 160, 299)}


class Arrow(NamedTuple):
    """A curve from some states to another, and the place of its label."""

    sources: tuple[State | None, ...]
    target: State
    curve: str
    label: tuple[int, int]


ARROWS = (
    Arrow((None,), State.PENDING, "M 60,30 L 60,100", (88, 46)),
    Arrow((State.PENDING,), State.RUNNING, "M 160,112 C 240,112 290,150 340,185", (262, 118)),
    Arrow((State.RUNNING,), State.PENDING, "M 330,200 C 260,190 220,132 160,132", (224, 182)),
    Arrow((State.RETRYING,), State.RUNNING, "M 160,282 C 220,280 270,220 330,214", (222, 244)),
    Arrow((State.RUNNING,), State.RETRYING, "M 350,229 C 320,290 240,302 160,302", (336, 312)),
    Arrow((State.RETRYING,), State.PENDING, "M 80,270 L 80,144", (114, 212)),
    Arrow((State.RUNNING,), State.COMPLETED, "M 440,185 C 480,130 560,107 640,107", (500, 116)),
    Arrow((State.RUNNING,), State.DISCARDED, "M 450,207 L 640,207", (545, 199)),
    Arrow((State.RUNNING,), State.CANCELLED, "M 440,229 C 480,284 560,302 640,302", (480, 338)),
    Arrow(WAITING, State.CANCELLED, "M 100,334 C 100,410 700,420 700,329", (400, 385)),
    Arrow(FINAL, State.PENDING, "M 700,50 C 700,-10 130,-20 130,100", (400, 30)),
)
_STYLE = (
    "text { font: 14px sans-serif; fill: #1c2333; text-anchor: middle; } .name { font-weight: 600; } "
    ".frame { fill: none; stroke: #9aa4bf; stroke-dasharray: 4 4; } .frame-name { fill: #5d6784; } "
    ".box { fill: #eef1fc; stroke: #3453c4; } .arrow { fill: none; stroke: #5d6784; stroke-width: 1.5; }"
)


def picture() -> str:
    """Return the picture as SVG.

    Raises:
        LookupError: `TRANSITIONS` has a way between two states that no arrow shows, or lacks one that an arrow shows.
    """
    drawn = {(source, arrow.target) for arrow in ARROWS for source in arrow.sources}
    known = {(way.source, way.target) for way in TRANSITIONS if _is_shown(way)}
    if drawn != known:
        raise LookupError(f"docs/state_diagram.py and TRANSITIONS differ on {drawn ^ known}")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 410" role="img">\n'
        f"<title>The states of a job</title>\n<style>{_STYLE}</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M 0,0 L 8,4 L 0,8 Z" fill="#5d6784"/></marker></defs>\n'
        '<rect width="800" height="410" rx="8" fill="#ffffff"/>\n' + "".join(_parts()) + "</svg>\n"
    )


def _is_shown(way: Transition) -> bool:
    """Leave out the ways that keep the state, remove the record, or copy it from another store."""
    return way.target is not None and way.source != way.target and way.by != "restore"


def _parts() -> Iterator[str]:
    for name, (x, y, width, height) in FRAMES.items():
        yield f'<rect class="frame" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>\n'
        yield f'<text class="frame-name" x="{x + width // 2}" y="{y + 22}">{name}</text>\n'
    for arrow in ARROWS:
        x, y = arrow.label
        yield f'<path class="arrow" d="{arrow.curve}" marker-end="url(#tip)"/>\n'
        yield f'<text x="{x}" y="{y}">{escape(_label(arrow))}</text>\n'
    for state, (x, y) in BOXES.items():
        yield f'<rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>\n'
        yield f'<text class="name" x="{x + WIDTH // 2}" y="{y + 27}">{state}</text>\n'


def _label(arrow: Arrow) -> str:
    ways = [
        way for way in TRANSITIONS if (way.source in arrow.sources and way.target == arrow.target and _is_shown(way))
    ]
    return ", ".join(dict.fromkeys(way.by.removeprefix("settle ") for way in ways))
