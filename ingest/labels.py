"""French words and numbers of ingestion."""

NBSP = "\N{NO-BREAK SPACE}"
THIN = "\N{NARROW NO-BREAK SPACE}"

REGISTERS = {"rpps": "RPPS", "finess": "FINESS", "ameli": "AMELI"}

STATUSES = {
    "running": "en cours",
    "published": "publié",
    "unchanged": "sans changement",
    "refused": "refusé",
    "failed": "échoué",
}

DECISIONS = {"auto": "lié", "review": "à relire", "none": "sans lien", "rejected": "rejeté"}

CASES = {
    "all": "ensemble",
    "plain": "courant",
    "homonym": "homonyme dans la commune",
    "relative": "parent au même cabinet",
    "changed_name": "nom changé",
    "moved_town": "autre commune",
    "moved_street": "autre rue",
    "typo": "faute de frappe",
    "part_dropped": "nom double écourté",
    "extra_first_name": "prénom de plus",
    "initial": "initiale",
    "ameli_only": "connu d’AMELI seul",
    "ameli_only_homonym": "connu d’AMELI seul, homonyme",
}
"""Kinds of case that a truth file names; others are shown as they are."""

LEVELS = {
    "number": "au numéro",
    "street": "à la rue",
    "place": "au lieu (FINESS)",
    "commune": "à la commune",
    "none": "sans position",
}


PHASES = {
    "detect": "reconnaissance",
    "compare": "comparaison avec le dernier chargement",
    "read": "lecture",
    "normalise": "mise en forme",
    "places": "communes et positions",
    "stage": "préparation de la copie",
    "link": "rapprochement AMELI",
    "hash": "comparaison avec le répertoire",
    "copy": "copie vers la base",
    "publish": "publication",
    "finish": "fin",
}


def number(value: int) -> str:
    """ "12345" → "12 345" with a narrow no-break space."""
    return f"{value:,}".replace(",", THIN)


def percent(value: float, digits: int = 0) -> str:
    """0.125 → "12,5 %"."""
    return f"{value * 100:.{digits}f}".replace(".", ",") + f"{NBSP}%"


def size(value: float) -> str:
    """Bytes as "12,3 Mo"."""
    for unit in ("o", "ko", "Mo", "Go"):
        if value < 1000 or unit == "Go":
            return (f"{value:.0f}" if unit == "o" else f"{value:.1f}".replace(".", ",")) + f"{NBSP}{unit}"
        value /= 1000
    return ""
