"""What the maps of a report colour, and how figures read in French."""

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from core.ui.filters import NBSP, distance
from maps.api import MapClass, Measure, quantile_bounds

INK, PAPER = "#15211f", "#ffffff"
DENSITY: Final = (("#cfe6e4", INK), ("#8fc3c1", INK), ("#4d9a9b", INK), ("#1f6f74", PAPER), ("#07434a", PAPER))
NEAR: Final = (("#cfe6e4", INK), ("#fdf1e9", INK), ("#f5cfb3", INK), ("#e39a68", INK), ("#9a4512", PAPER))
NOTHING, SOME = ("#f5cfb3", INK), ("#8fc3c1", INK)
"""Fill and ink of each class; a text stands on every fill with a contrast of 4.5 at least."""
STEPS_KM: Final = (2, 5, 10, 20)
"""Upper bounds of the classes of distance: what is near on foot, by bicycle, by car, then far."""
UNKNOWN: Final = "Non connu"


def decimals(values: Sequence[float] | pd.Series) -> int:
    """Return how many decimals tell densities apart."""
    largest = pd.Series(values, dtype="float64").max()
    return 2 if largest == largest and largest < 10 else 1


def density_text(value: float | None, digits: int = 1) -> str:
    """Write a density: « 12,4 »; nothing when it is not known."""
    if value is None or value != value:
        return ""
    if not value:
        return "0"
    return f"{value:,.{digits}f}".replace(",", NBSP).replace(".", ",")


def distance_text(metres: float | None, *, approximate: bool = False) -> str:
    """Write a distance: « 3,2 km », « ≈ 3,2 km » when only the commune of the site is known."""
    if metres is None or metres != metres:
        return ""
    return f"≈{NBSP}{distance(metres)}" if approximate else distance(metres)


def share_text(value: float | None) -> str:
    """Write a share: « 12,5 % »; nothing when it is not known."""
    return "" if value is None else f"{value * 100:.1f}".replace(".", ",") + f"{NBSP}%"


def classified(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Measure, ...]]:
    """Return the rows with the class of each by measure, and the measures: density, distance, home visits."""
    frame = frame.copy()
    digits = decimals(frame["density"])
    rounded = frame["density"].round(digits)
    # A commune with an offer is not « Aucune offre », however small its density.
    rounded = rounded.mask((frame["offers"] > 0) & (rounded == 0), 10**-digits)
    bounds = quantile_bounds(rounded[rounded > 0].tolist(), len(DENSITY))
    frame["density_class"] = np.where(
        rounded.isna(), -1, np.where(rounded == 0, 0, 1 + np.searchsorted(bounds, rounded.fillna(0)))
    )
    density = [MapClass("Aucune offre", *NOTHING)]
    for rank, (bound, colours) in enumerate(zip(bounds, DENSITY[len(DENSITY) - len(bounds) :], strict=True), 1):
        low = density_text(rounded[frame["density_class"] == rank].min(), digits)
        high = density_text(bound, digits)
        density.append(MapClass(low if low == high else f"De {low} à {high}", *colours))
    metres = frame["nearest_m"]
    steps = [step * 1000 for step in STEPS_KM]
    frame["distance_class"] = np.where(metres.isna(), -1, np.searchsorted(steps, metres.fillna(0)))
    labels = [f"{STEPS_KM[0]}{NBSP}km ou moins"]
    labels += [f"De {low} à {high}{NBSP}km" for low, high in itertools.pairwise(STEPS_KM)]
    labels.append(f"Plus de {STEPS_KM[-1]}{NBSP}km")
    frame["visits_class"] = np.where(frame["visited"], 1, 0)
    return frame, (
        Measure("density", "Offres pour 10 000 habitants", "density_class", tuple(density)),
        Measure(
            "distance",
            "Distance à l’offre la plus proche",
            "distance_class",
            tuple(MapClass(label, *colours) for label, colours in zip(labels, NEAR, strict=True)),
        ),
        Measure(
            "visits",
            "Visites à domicile",
            "visits_class",
            (MapClass("Personne ne dit s’y déplacer", *NOTHING), MapClass("Au moins une offre s’y déplace", *SOME)),
        ),
    )
