"""The colours of a portal: what follows from the two that are chosen, and whether everything stays readable."""

import re
from dataclasses import dataclass
from typing import Final

READABLE: Final = 4.5
"""Contrast that WCAG 2.2 AA asks of a text."""
PAPER, INK, SOFT = "#ffffff", "#15211f", "#4d5c59"
"""Paper and texts of every page, which the colours stand beside."""
_HEX: Final = re.compile(r"#[0-9a-f]{6}")

Rgb = tuple[int, int, int]


def valid(value: str) -> bool:
    """Tell whether a text is a colour, `#rrggbb` in small letters."""
    return _HEX.fullmatch(value) is not None


def rgb(colour: str) -> Rgb:
    """Return red, green and blue of a valid colour."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    parts = [value / 255 for value in rgb(colour)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG)."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, other: str, part: float) -> str:
    """Return a colour with a part of another one."""
    return "#" + "".join(
        f"{round(a * (1 - part) + b * part):02x}" for a, b in zip(rgb(colour), rgb(other), strict=True)
    )


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour that a portal draws with."""

    action: str
    deep: str
    wash: str
    line: str
    band: str
    band_ink: str


def palette(colour: str, band: str) -> Palette:
    """Return what follows from the colour of actions and that of the top of the page."""
    return Palette(
        action=colour,
        deep=mixed(colour, "#000000", 0.25),
        wash=mixed(colour, PAPER, 0.9),
        line=mixed(colour, PAPER, 0.6),
        band=band,
        band_ink=PAPER if contrast(band, PAPER) >= contrast(band, INK) else INK,
    )


def problems(colour: str, band: str) -> dict[str, str]:
    """Return why colours are refused, by field, in French; nothing when every text stays readable."""
    found = {}
    for name, value in (("colour", colour), ("band", band)):
        if not valid(value):
            found[name] = "Une couleur s’écrit # suivi de six chiffres ou lettres de a à f, par exemple #0b5a60."
    if found:
        return found
    drawn = palette(colour, band)
    pairs = (
        (drawn.action, PAPER, "du texte blanc sur les boutons, et des liens sur le fond blanc"),
        (drawn.action, drawn.wash, "des boutons survolés"),
        (drawn.deep, drawn.wash, "des filtres actifs"),
        (SOFT, drawn.wash, "des précisions sur une suggestion choisie"),
    )
    for first, second, what in pairs:
        if (ratio := contrast(first, second)) < READABLE:
            found["colour"] = (
                f"Cette couleur est trop claire : le contraste {what} serait de {_ratio(ratio)}, "
                "il en faut au moins 4,5. Choisissez-la plus foncée."
            )
            break
    if (ratio := contrast(drawn.band, drawn.band_ink)) < READABLE:
        found["band"] = f"Aucun texte ne se lit sur cette couleur (contraste de {_ratio(ratio)} au mieux, 4,5 attendu)."
    return found


def _ratio(value: float) -> str:
    # Rounded down: 4.499 must not be told as the 4.5 that is asked for.
    return f"{int(value * 100) / 100:.2f}".replace(".", ",")


def css(drawn: Palette, selector: str = ":root") -> str:
    """Return the style sheet of a palette; it holds nothing that a person wrote but valid colours."""
    red, green, blue = rgb(drawn.action)
    deep = ", ".join(map(str, rgb(drawn.deep)))
    return (
        f"{selector} {{\n"
        f"  --action: {drawn.action};\n"
        f"  --action-deep: {drawn.deep};\n"
        f"  --action-wash: {drawn.wash};\n"
        f"  --action-line: {drawn.line};\n"
        f"  --portal-band: {drawn.band};\n"
        f"  --portal-band-ink: {drawn.band_ink};\n"
        f"  --bs-link-color-rgb: {red}, {green}, {blue};\n"
        f"  --bs-link-hover-color-rgb: {deep};\n"
        "}\n"
    )
