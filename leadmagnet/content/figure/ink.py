"""Inks and signs: colours for light and dark, the six grounds, the pen numerals.

The values are those of tokens.css; this file is their only copy outside it,
because pictures and films cannot read a style sheet.
"""

from __future__ import annotations

Palette = dict[str, str]

LIGHT: Palette = {
    "pen": "#16302b",
    "skin": "#fcfdfa",
    "skin-far": "#e9eee4",
    "top": "#93bca7",
    "top-far": "#7ba690",
    "leg": "#24564a",
    "leg-far": "#47806f",
    "hair": "#16302b",
    "chair": "#fcfdfa",
    "mat": "#f2b134",
    "mark": "#16302b",
    "paper": "#ffffff",
}
DARK: Palette = {
    "pen": "#0d1b18",
    "skin": "#f1f4ec",
    "skin-far": "#cbd5c9",
    "top": "#8fbba5",
    "top-far": "#6f9c87",
    "leg": "#3f8571",
    "leg-far": "#2f6556",
    "hair": "#5f7b70",
    "chair": "#cbd5c9",
    "mat": "#e3a22c",
    "mark": "#e6ede1",
    "paper": "#1a2824",
}

# Station grounds, morning to evening: light, dark.
GROUNDS = {
    1: ("#f6e3d3", "#33271f"),
    2: ("#f2eacb", "#2e2a1a"),
    3: ("#e3ecdd", "#1f2c22"),
    4: ("#d6e9e3", "#1a2d2a"),
    5: ("#dae5ee", "#1c2933"),
    6: ("#e4deea", "#28232f"),
}

# Written in one stroke each, in a box of about 46 by 70.
NUMERALS = {
    1: "M9 16 22 4V66",
    2: "M5 19C5 5 38 0 38 19 38 35 9 45 5 66H40",
    3: "M7 11C16 0 38 3 37 18 36 29 25 31 18 31 30 31 42 35 41 48 39 67 12 69 4 56",
    4: "M30 66V4L4 47H43",
    5: "M37 4H12L9 31C20 23 41 26 41 45 41 66 14 71 4 58",
    6: "M34 4C16 15 5 30 5 47 5 59 13 67 23 67 33 67 41 59 41 49 41 39 33 32 24 32 15 32 8 38 5 47",
}

# The short class names that pages and pictures use for these inks.
CLASS_NAMES = {
    "skin": "s",
    "skin-far": "fs",
    "top": "t",
    "top-far": "ft",
    "leg": "l",
    "leg-far": "fl",
    "hair": "h",
    "line": "e",
    "chair": "c b",
    "dots": "a",
}


def palette(number: int, dark: bool = False) -> Palette:
    """All inks of a station, its ground included."""
    inks = DARK if dark else LIGHT
    return inks | {"ground": GROUNDS[number][int(dark)]}
