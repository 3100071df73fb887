"""What a report says of itself in French: its question, its figures, what each of them means."""

from datetime import datetime
from typing import Any

from core.clock import local
from core.ui.filters import NBSP, counted, distance, number
from search_api.coverage.figures import Summary
from search_api.coverage.scales import decimals, density_text, share_text

SOURCE = "Repère, d’après les registres RPPS, FINESS et Annuaire santé"

DEFINITIONS: tuple[tuple[str, str], ...] = (
    (
        "Offre",
        "Une offre opérationnelle publique qui répond à la question : l’activité d’un professionnel dans un lieu, ou "
        "une unité d’un établissement. Elle compte dans la commune de son lieu. Les offres sensibles ne sont jamais "
        "comptées.",
    ),
    ("Lieu", "Un cabinet ou un établissement qui porte au moins une de ces offres."),
    (
        "Habitants",
        "Population de la commune au recensement. Une commune sans population connue compte zéro habitant et n’a pas "
        "de densité.",
    ),
    ("Offres pour 10 000 habitants", "Nombre d’offres de la commune, divisé par ses habitants, multiplié par 10 000."),
    (
        "Distance à la plus proche",
        "À vol d’oiseau, sur l’ellipsoïde WGS84, du centre de la commune (sa mairie) à l’offre située la plus proche, "
        "y compris hors du territoire. « ≈ » : seule la commune de cette offre est connue. Une offre sans aucune "
        "position n’entre pas dans les distances.",
    ),
    (
        "Visites à domicile",
        "Une commune est visitée quand au moins une offre, d’où qu’elle vienne, a déclaré s’y déplacer, ou se déplacer "
        "dans une de ses parties ou dans un territoire qui la contient. Une offre qui n’a pas décrit son territoire "
        "d’intervention ne dit rien : l’absence de visite déclarée n’est pas une absence de visite.",
    ),
    (
        "À plus de 10 km",
        "Habitants des communes dont le centre est à plus de 10 km de toute offre située, rapportés aux habitants des "
        "communes dont la position est connue.",
    ),
    (
        "Distance médiane",
        "La moitié des habitants vivent dans une commune dont le centre est à cette distance ou moins.",
    ),
    (
        "Communes",
        "Paris, Lyon et Marseille comptent pour une commune chacune, leurs arrondissements compris, sauf dans un "
        "territoire qui ne contient que des arrondissements. Les contours sont simplifiés pour la carte.",
    ),
)
"""What each figure means, as the page and the sheet say it."""


def asked_on(instant: datetime) -> datetime:
    """Return the instant on the wall clock, without its zone, as spreadsheets take it."""
    return local(instant).replace(tzinfo=None)


def cautions(summary: Summary) -> list[str]:
    """Return what a reader of this very report must know before drawing a conclusion."""
    found = []
    if summary.zone:
        found.append(
            f"Limité à la zone de l’application qui l’a demandé ({', '.join(summary.zone)}) : ni les communes, ni les "
            "offres du dehors ne comptent, y compris dans les distances et les visites."
        )
    if not summary.offers:
        found.append(nothing(summary))
    elif summary.offers_visiting < summary.offers:
        said = {
            0: "aucune n’a déclaré où elle se déplace",
            1: "une seule a déclaré où elle se déplace",
        }.get(summary.offers_visiting, f"{number(summary.offers_visiting)} ont déclaré où elles se déplacent")
        found.append(
            f"Sur {counted(summary.offers, 'offre')} du territoire, {said} : les autres ne disent rien des visites à "
            "domicile, ni pour ni contre."
        )
    if summary.without_population:
        found.append(f"{_communes(summary.without_population)} sans population connue : pas de densité.")
    if summary.without_point:
        found.append(f"{_communes(summary.without_point)} sans position connue : pas de distance.")
    return found


def nothing(summary: Summary) -> str:
    """Say that no offer answers, and what to make of it; empty when one does."""
    if summary.offers:
        return ""
    if not summary.nowhere:
        return (
            "Aucune offre du territoire ne répond à la question. Vérifiez ses mots et ses filtres avant d’en conclure "
            "un manque."
        )
    elsewhere = "ailleurs dans la zone" if summary.zone else "ailleurs"
    return (
        f"Aucune offre ne répond à la question, ni dans ce territoire ni {elsewhere} : ce rapport ne dit rien de "
        "l’accès aux soins. Vérifiez les mots de la question, sans nom de commune (le territoire se choisit à part), "
        "ou retirez un filtre."
    )


def _communes(count: int) -> str:
    return counted(count, "commune")


def headline(summary: Summary) -> list[tuple[str, str, str]]:
    """Return the figures of the top of a report: name, value, what completes it."""
    density = "" if summary.density is None else density_text(summary.density, decimals([summary.density]))
    far = summary.population_far or 0
    share = far / summary.population if summary.population else None
    unvisited = summary.population_unvisited / summary.population if summary.population else None
    found = [
        ("Offres", number(summary.offers), f"dans {counted(summary.sites, 'lieu', 'lieux')}"),
        ("Habitants", number(summary.population), f"dans {_communes(summary.communes)}"),
    ]
    if summary.nowhere:
        return found
    return [
        *found,
        (f"Offres pour 10{NBSP}000 habitants", density or "–", "sur tout le territoire"),
        (
            f"Habitants à plus de 10{NBSP}km",
            share_text(summary.share_far if summary.share_far is not None else share) or "–",
            counted(far, "habitant"),
        ),
        (
            "Communes où personne ne dit se déplacer",
            number(summary.communes_unvisited),
            f"{share_text(unvisited)} des habitants" if unvisited is not None else "",
        ),
        (
            "Distance médiane à la plus proche",
            distance(summary.median_m) or "–",
            f"au plus {distance(summary.farthest_m)} ({summary.farthest})" if summary.farthest else "",
        ),
    ]


def sheet_lines(title: str, pairs: list[tuple[str, Any]], summary: Summary) -> list[tuple[str, Any]]:
    """Return what the second sheet says: the question, the totals, the cautions, the definitions."""
    lines: list[tuple[str, Any]] = [("Rapport", title), *pairs]
    lines += [
        ("Communes", summary.communes),
        ("Habitants", summary.population),
        ("Offres", summary.offers),
        ("Lieux", summary.sites),
        ("Offres pour 10 000 habitants", summary.density),
        ("Communes sans offre", summary.communes_without_offer),
        ("Habitants de communes sans offre", summary.population_without_offer),
        ("Communes où personne ne dit se déplacer", summary.communes_unvisited),
        ("Habitants de ces communes", summary.population_unvisited),
        ("Habitants à plus de 10 km", summary.population_far),
        ("Part des habitants à plus de 10 km (%)", None if summary.share_far is None else summary.share_far * 100),
        ("Distance médiane (km)", None if summary.median_m is None else summary.median_m / 1000),
        ("Plus grande distance (km)", None if summary.farthest_m is None else summary.farthest_m / 1000),
        ("Commune la plus éloignée", summary.farthest),
    ]
    lines += [("À savoir", text) for text in cautions(summary)]
    lines += [(f"Définition : {name}", text) for name, text in DEFINITIONS]
    lines.append(("Source", SOURCE))
    return [(name, value) for name, value in lines if value is not None]
