"""Names of communes by postal code and by département, in the one spelling of `maps.text`."""

import re
from collections import defaultdict
from typing import NamedTuple

from rapidfuzz import fuzz, process

from maps.store import PlaceSet
from maps.text import bare_name, normal_name, skeleton

_NUMBERED = re.compile(r"^(paris|lyon|marseille) 0*(\d{1,2})(?:er|e|eme|ieme)?(?: ?arr(?:t|ondissement)?)?$")

DIVIDED = {"paris": ("75056", 75100, 20), "lyon": ("69123", 69380, 9), "marseille": ("13055", 13200, 16)}
"""Towns divided in arrondissements: commune, base of the codes, how many."""

QUARTERS = {
    "la defense": "92062",
    "paris la defense": "92062",
    "roissy charles de gaulle": "95527",
    "roissy cdg": "95527",
    "sophia antipolis": "06152",
    "cergy pontoise": "95127",
    "saint quentin en yvelines": "78423",
    "marne la vallee": "77083",
    "orly aerogare": "94054",
    "rungis complexe": "94065",
}
"""Labels of mail districts that are no commune's name, and the commune where most of it lies."""

CLOSE = 82
"""Likeness (0–100) from which two spellings inside one postal code are the same town."""
CLOSE_IN_DEPARTEMENT = 88
"""The same among the hundreds of names of a département."""


class Named(NamedTuple):
    """A commune found by name: its row, how, how sure."""

    row: int
    how: str
    score: int


def departements_of(postal: str) -> tuple[str, ...]:
    """Return the départements that a postal code may belong to, whether a town has it or not."""
    if not postal:
        return ()
    if postal.startswith("20"):
        return ("2A", "2B")
    if postal.startswith("971"):
        # The two islands that left Guadeloupe keep its postal codes.
        return ("971", "977", "978")
    return (postal[:3],) if postal.startswith(("97", "98")) else (postal[:2],)


class Gazetteer:
    """What resolution looks names up in; built once for a set of places."""

    def __init__(self, places: PlaceSet) -> None:
        self.places = places
        self.by_postal: dict[str, dict[str, int]] = {}
        self._by_departement: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._skeletons: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._inner: dict[int, dict[str, int]] = defaultdict(dict)
        self._everywhere: dict[str, list[int]] = defaultdict(list)
        order = {"arrondissement": 0, "commune": 1, "commune_deleguee": 2}
        rows = [r for r in range(len(places)) if places.kinds[r] in order]
        for row in sorted(rows, key=lambda r: (order[places.kinds[r]], -places.populations[r], places.ids[r])):
            self._add(row)

    def _add(self, row: int) -> None:
        places = self.places
        kind = places.kinds[row]
        target = row
        if kind == "commune_deleguee":
            parent = places.by_id.get(places.parents[row])
            if parent is None:
                return
            target = parent
        name = normal_name(places.names[row])
        spellings = {name, bare_name(name)}
        if kind == "arrondissement":
            parent = places.by_id.get(places.parents[row])
            if parent is not None:
                for code in places.postal_codes[row]:
                    self._inner[parent].setdefault(code, row)
                spellings = {name, normal_name(places.names[parent])}
        for code in places.postal_codes[row]:
            known = self.by_postal.setdefault(code, {})
            for spelling in spellings:
                known.setdefault(spelling, target)
        if kind == "arrondissement":
            return
        departement = places.departements[row] or ""
        for spelling in spellings:
            self._by_departement[departement][spelling].append(target)
        self._skeletons[departement][skeleton(name)].append(target)
        self._everywhere[name].append(target)

    def place(self, code: str) -> int | None:
        """Return the commune or municipal arrondissement that has this INSEE code today."""
        for kind in ("commune", "arrondissement"):
            row = self.places.by_code.get(kind, {}).get(code)
            if row is not None:
                return row
        return None

    def former(self, code: str) -> int | None:
        """Return the commune that a code no longer in use now means."""
        place = self.places.former.get(code)
        if place is not None:
            return self.places.by_id.get(place)
        row = self.places.by_code.get("commune_deleguee", {}).get(code)
        return None if row is None else self.places.by_id.get(self.places.parents[row])

    def within(self, row: int, postal: str, number: int | None) -> int | None:
        """Return the arrondissement of a divided commune that a postal code or a CEDEX number names."""
        inner = self._inner.get(row)
        if not inner:
            return None
        if postal in inner:
            return inner[postal]
        return self._numbered(normal_name(self.places.names[row]), number)

    def arrondissement(self, town: str, postal: str, number: int | None) -> int | None:
        """Return the arrondissement that "paris 12", or "paris" with a postal code or CEDEX number, names."""
        found = _NUMBERED.match(town)
        name = found[1] if found else town
        if name not in DIVIDED:
            return None
        commune = self.place(DIVIDED[name][0])
        if commune is not None and postal in self._inner.get(commune, {}):
            return self._inner[commune][postal]
        return self._numbered(name, int(found[2]) if found else number)

    def _numbered(self, name: str, number: int | None) -> int | None:
        if name not in DIVIDED or number is None:
            return None
        _, base, count = DIVIDED[name]
        return self.place(str(base + number)) if 1 <= number <= count else None

    def by_postcode(self, postal: str, town: str) -> Named | None:
        """Return the commune of a postal code whose name is the town's, exactly or nearly; None when none is."""
        known = self.by_postal.get(postal)
        if not known or not town:
            return None
        row = known.get(town)
        if row is None:
            row = known.get(bare_name(town))
        if row is not None:
            return Named(row, "postcode_town", 98)
        bones = skeleton(town)
        rows = {r for name, r in known.items() if skeleton(name) == bones}
        if len(rows) == 1:
            return Named(rows.pop(), "postcode_town", 94)
        return self._nearly(town, known) or self._begins(town, known)

    @staticmethod
    def _nearly(town: str, known: dict[str, int]) -> Named | None:
        matches = process.extract(
            town.replace(" ", ""),
            {n: n.replace(" ", "") for n in known},
            scorer=fuzz.ratio,
            score_cutoff=CLOSE,
            limit=6,
        )
        if not matches:
            return None
        _, best, name = matches[0]
        rivals = [score for _, score, other in matches if known[other] != known[name]]
        if rivals and rivals[0] > best - 4:
            return None
        return Named(known[name], "fuzzy", min(92, round(best * 0.95)))

    @staticmethod
    def _begins(town: str, known: dict[str, int]) -> Named | None:
        # One label is the start of the other: "le chesnay" for Le Chesnay-Rocquencourt, or a cut label.
        rows = {
            row
            for name, row in known.items()
            if min(len(name), len(town)) >= 4 and (name.startswith(town) or town.startswith(name + " "))
        }
        return Named(rows.pop(), "fuzzy", 85) if len(rows) == 1 else None

    def by_town(self, postal: str, town: str) -> Named | None:
        """Return the best commune for a postal code (perhaps a CEDEX) and a town's normalised label."""
        found = self.by_postcode(postal, town)
        if found is not None:
            return found
        departements = departements_of(postal)
        if town:
            found = self._in_departements(departements, postal, town) or self._quarter(town, departements)
            if found is None and not departements:
                found = self._alone(town)
            if found is not None:
                return found
        return self._only_postcode(postal, bool(town))

    def _in_departements(self, departements: tuple[str, ...], postal: str, town: str) -> Named | None:
        for spellings, key, score in (
            (self._by_departement, town, 90),
            (self._by_departement, bare_name(town), 88),
            (self._skeletons, skeleton(town), 86),
        ):
            rows = {r for d in departements if d in spellings for r in spellings[d].get(key, ())}
            if rows:
                row = max(rows, key=lambda r: (self._shares(r, postal), self.places.populations[r], -r))
                return Named(row, "town", score if len(rows) == 1 else 70)
        if len(town) >= 5:
            # "velizy" alone, for Vélizy-Villacoublay.
            starts = {
                row
                for d in departements
                if d in self._by_departement
                for name, rows in self._by_departement[d].items()
                if name.startswith(town + " ")
                for row in rows
            }
            if len(starts) == 1:
                return Named(starts.pop(), "fuzzy", 75)
        names = {
            f"{d}|{name}": name for d in departements if d in self._by_departement for name in self._by_departement[d]
        }
        matches = process.extract(town, names, scorer=fuzz.ratio, score_cutoff=CLOSE_IN_DEPARTEMENT, limit=5)
        if not matches:
            return None
        found = [
            (likeness, self._shares(row, postal), row)
            for name, likeness, key in matches
            for row in self._by_departement[key.partition("|")[0]][name]
        ]
        likeness, _, row = max(found, key=lambda f: (f[0] + 2 * f[1], self.places.populations[f[2]], -f[2]))
        # Another town as near as this one, and nothing to choose between them: say nothing.
        if any(other != row and near >= likeness - 3 and not self._shares(row, postal) for near, _, other in found):
            return None
        return Named(row, "fuzzy", round(likeness * 0.85))

    def _shares(self, row: int, postal: str) -> int:
        """Length of the start that a postal code shares with those of a place."""
        best = 0
        for code in self.places.postal_codes[row]:
            same = next((i for i in range(5) if code[i : i + 1] != postal[i : i + 1]), 5)
            best = max(best, same if same > 2 else 0)
        return best

    def _quarter(self, town: str, departements: tuple[str, ...]) -> Named | None:
        code = QUARTERS.get(town)
        row = self.place(code) if code else None
        if row is None or (departements and self.places.departements[row] not in departements):
            return None
        return Named(row, "town", 60)

    def _alone(self, town: str) -> Named | None:
        rows = set(self._everywhere.get(town, ()))
        return Named(rows.pop(), "town", 60) if len(rows) == 1 else None

    def _only_postcode(self, postal: str, contradicted: bool) -> Named | None:
        rows = set(self.by_postal.get(postal, {}).values())
        divided = {r for r in rows if r in self._inner}
        rows = rows - divided or divided
        if not rows:
            return None
        row = max(rows, key=lambda r: (self.places.populations[r], -r))
        score = 60 if len(rows) == 1 else 30
        return Named(row, "postcode", score - 10 if contradicted else score)
