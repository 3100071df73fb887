"""What mail writes that is no town's: the codes and numbers of CEDEX, under which the mail of firms is sorted."""

from maps.gazetteer import DIVIDED, departements_of
from maps.lexicon import Lexicon

SORTED_APART = {
    "75": "75056",
    **dict.fromkeys(("132", "133", "134"), "13055"),
    **dict.fromkeys(("692", "693", "694"), "69123"),
    **dict.fromkeys(("929", "9204", "9205", "9206", "9207", "9208", "9209"), "92062"),
}
"""Starts of CEDEX codes that resemble the postal codes of other towns, and the commune whose mail they sort."""


def rows_of_cedex(names: Lexicon, code: str) -> list[int]:
    """Return the town whose mail a code that no town has most likely sorts, then the département; nothing else."""
    places = names.places
    home = _home(code)
    departement = places.by_code.get("departement", {}).get(home)
    if departement is None:
        return []
    communes = places.by_code.get("commune", {})
    apart = next((town for start, town in SORTED_APART.items() if code.startswith(start)), None)
    if apart is not None:
        towns = [communes[apart]] if apart in communes else []
    else:
        alike = names.postal_range(code[:4])
        if not alike and code[2] == "0":
            # The main town's mail is sorted under the first codes: 78014 is in Versailles (78000).
            alike = [code[:2] + "000"]
        served = {row for postal in alike for row in places.by_postal.get(postal, ())}
        towns = [row for row in served if places.kinds[row] == "commune" and places.departements[row] == home]
    return [*sorted(towns, key=lambda r: (-places.populations[r], places.ids[r]))[:1], departement]


def inside_town(text: str, cedex: int | None) -> str:
    """Return a text with the arrondissement that the number of its CEDEX names: "75380 paris cedex 08"."""
    town = " ".join(word for word in text.split() if not word.isdigit())
    return f"{town} {cedex}" if cedex and town in DIVIDED else text


def _home(code: str) -> str:
    """Return the département of which a postal code is most likely."""
    first, *others = departements_of(code)
    # Corsica: 200 and 201 are in the south.
    return others[0] if first == "2A" and code[2] not in "01" else first
