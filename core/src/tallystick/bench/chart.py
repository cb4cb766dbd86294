"""Bar charts as SVG, readable in light and in dark."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_WIDTH, _LABELS, _FIGURES = 720, 270, 80
_ROW, _BAR, _TITLE, _MARGIN = 22, 14, 34, 10

_STYLE = """\
svg { font: 13px system-ui, sans-serif;
  --back: #fff; --text: #1f2328; --soft: #59636e; --bar: #8c96a8; --ours: #3453c4 }
@media (prefers-color-scheme: dark) {
svg { --back: #15171c; --text: #e6e8ec; --soft: #a2a9b4; --bar: #6a7385; --ours: #8fa8ff } }
.back { fill: var(--back) } text { fill: var(--text) } .figure { fill: var(--soft) } .title { font-weight: 600 }
.bar { fill: var(--bar) } .ours { fill: var(--ours) }"""


class Bar(NamedTuple):
    """One bar.

    Args:
        label: The text before the bar.
        value: Its length.
        ours: Whether to highlight it.
    """

    label: str
    value: float
    ours: bool = True


class Group(NamedTuple):
    """Bars with a common scale."""

    title: str
    bars: Sequence[Bar]


def svg(title: str, groups: Sequence[Group]) -> str:
    """Return a chart of horizontal bars, one group below the other."""
    parts, top = [], _MARGIN
    for group in groups:
        parts.append(f'<text class="title" x="{_MARGIN}" y="{top + 16}">{escape(group.title)}</text>')
        top += _TITLE
        longest = max((bar.value for bar in group.bars), default=0) or 1
        for bar in group.bars:
            parts += _bar(bar, bar.value / longest, top)
            top += _ROW
        top += _MARGIN
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="back" width="{_WIDTH}" height="{top}" rx="6"/>',
            *parts,
            "</svg>\n",
        )
    )


def figure(value: float) -> str:
    """Return a figure for people: three digits, and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _bar(bar: Bar, share: float, top: int) -> list[str]:
    width = max(1, round(share * (_WIDTH - _LABELS - _FIGURES - _MARGIN)))
    middle = top + _BAR - 3
    kind = "bar ours" if bar.ours else "bar"
    return [
        f'<text x="{_LABELS - 8}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{_LABELS}" y="{top}" width="{width}" height="{_BAR}" rx="2"/>',
        f'<text class="figure" x="{_LABELS + width + 6}" y="{middle}">{figure(bar.value)}</text>',
    ]
