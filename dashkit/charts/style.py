"""The look of every chart: one palette, its dark counterpart, and what matplotlib is told.

The colours are those of Okabe and Ito, told apart by people with any kind of colour vision. Draw under
`matplotlib.rc_context(STYLE)`, on a `matplotlib.figure.Figure` (pyplot keeps figures alive for ever).
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

INK: Final = "#1f2328"  # titles, axes, values
MUTED: Final = "#59636e"  # subtitles, ticks, footers
GRID: Final = "#e6e8eb"
PAPER: Final = "#ffffff"  # halos of labels over areas

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
GREEN: Final = "#009e73"
VERMILLION: Final = "#d55e00"
SKY: Final = "#56b4e9"
PURPLE: Final = "#cc79a7"
SERIES: Final = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE)

# A label in its line's colour has to be read: these keep 4.5:1 against the paper.
LABEL: Final = {
    BLUE: BLUE,
    ORANGE: "#8f5f00",
    GREEN: "#00664a",
    VERMILLION: "#a84a00",
    SKY: "#1f6fa3",
    PURPLE: "#94476f",
}

# From none to many, for cells: light cells glare in the dark, where the ramp runs the other way.
RAMP: Final = ("#eef1f4", "#a6cbe6", "#5a9fd0", "#1f6fb0", "#08305f")
_DARK_RAMP: Final = ("#23282e", "#1f4a70", "#2f75ad", "#63abe0", "#c4e3fb")

# What each colour becomes where the reader's screen is dark.
DARK: Final = {
    INK: "#e6e8eb",
    MUTED: "#9aa4b0",
    GRID: "#2d333b",
    PAPER: "#16191d",
    BLUE: "#4f9fdc",
    ORANGE: "#dd9a10",
    GREEN: "#1fae83",
    VERMILLION: "#ec7a3c",
    SKY: "#9fd4f5",
    PURPLE: "#d98fb8",
    LABEL[ORANGE]: "#e8b44a",
    LABEL[GREEN]: "#3ecf9a",
    LABEL[VERMILLION]: "#ff9a66",
    LABEL[SKY]: "#9fd4f6",
    LABEL[PURPLE]: "#e3a6c8",
    **dict(zip(RAMP, _DARK_RAMP, strict=True)),
}

# Verdana has the widths of DejaVu Sans, by which matplotlib lays out, and is where DejaVu is not.
FONTS: Final = ("DejaVu Sans", "Verdana", "Segoe UI", "Helvetica Neue", "Arial")

# Inches. A phone of 360 pixels shows it at three quarters of its size, and 9.5 points are then still to be read.
WIDTH: Final = 4.6
HEIGHT: Final = 3.2

STYLE: Final["dict[RcKeyType, Any]"] = {
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.size": 10.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.facecolor": "none",
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.left": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.titlelocation": "left",
    "axes.titlesize": 13.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 14,
    "axes.prop_cycle": f"cycler('color', {list(SERIES)!r})",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.color": GRID,
    "ytick.labelcolor": MUTED,
    "ytick.left": False,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
