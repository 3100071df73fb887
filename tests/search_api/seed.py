"""A small directory around Mantes and Versailles: published through the one door, then described at random."""

import random
from dataclasses import dataclass

import psycopg
from psycopg import sql

from directory import nomenclature
from directory.api import create_publication_tables, publish
from maps.api import load_places

TOWNS = {
    "78361": ("MANTES LA JOLIE", "78200"),
    "78362": ("MANTES LA VILLE", "78711"),
    "78335": ("LIMAY", "78520"),
    "78531": ("ROSNY SUR SEINE", "78710"),
    "78646": ("VERSAILLES", "78000"),
    "78498": ("POISSY", "78300"),
}
PROFESSIONS = ("10", "40", "50", "60", "70", "80", "91")
SPECIALTIES = ("R38|SM54", "R38|SM38", "R38|SM15", "R38|SM40")
CATEGORIES = ("355", "500", "611", "124", "620")
LAST_NAMES = ("DUPONT", "LEFÈVRE", "D'ARTAGNAN", "MARTIN", "SAINT-MARTIN", "ÇELIK", "NGUYEN", "ROUX", "BERNARD")
FIRST_NAMES = ("Élodie", "Jean-Pierre", "Maïté", "Léa", "Hugo", "Fatima", "Noël")
CANARY = "ZZCANARI"
"""In the name of every sensitive offer's practitioner, and nowhere else; their act is the last of J16."""

_NURSE = """
    INSERT INTO directory.offer_search (offer_id, site_id, kind, position, exact, commune_id, places, codes, territory,
        age_min, age_max, names, described, sensitive, updated_at)
    SELECT %(number)s, %(number)s, 'liberal', p.point, true, p.id,
           ARRAY[p.id] || ARRAY(SELECT container_id FROM maps.place_containment WHERE place_id = p.id),
           ARRAY(SELECT id FROM directory.concept WHERE system = 'G15' AND code = '60'),
           ARRAY(SELECT id FROM maps.place WHERE kind IN ('commune', 'arrondissement') AND code = ANY(%(visited)s)),
           0, 150, '', true, false, now()
      FROM maps.place p WHERE p.kind IN ('commune', 'arrondissement') AND p.code = %(code)s
"""


@dataclass(frozen=True)
class Town:
    id: int
    lon: float
    lat: float


def fill(conn: psycopg.Connection, *, seed: int = 7, sites: int = 90, roles: int = 240) -> None:
    """Fill an empty, migrated database: places of the Yvelines, starter nomenclatures, one publication."""
    load_places(conn, ["78"], contours=False)
    nomenclature.load(conn)
    conn.commit()
    rng = random.Random(seed)
    rows = conn.execute(
        "SELECT code, id, ST_X(point::geometry), ST_Y(point::geometry) FROM maps.place"
        " WHERE kind = 'commune' AND code = ANY(%s)",
        (list(TOWNS),),
    ).fetchall()
    towns = {code: Town(key, lon, lat) for code, key, lon, lat in rows}
    create_publication_tables(conn)
    _sites(conn, rng, towns, sites)
    _people(conn, rng, sites, roles)
    load = conn.execute("INSERT INTO ingest.load (status) VALUES ('running') RETURNING id").fetchone()
    assert load
    conn.commit()
    publish(conn, load[0], {"rpps", "finess", "ameli"})
    _describe(conn, rng, towns)
    conn.commit()


def insert(conn: psycopg.Connection, table: str, **values: object) -> None:
    """Insert one row by column names."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    conn.execute(statement, list(values.values()))


def nurse_at(conn: psycopg.Connection, number: int, code: str, visited: tuple[str, ...] = ()) -> None:
    """Write the search row of a nurse's offer, alone of its site, at the point of a town or arrondissement."""
    conn.execute(_NURSE, {"number": number, "code": code, "visited": list(visited)})


def _sites(conn: psycopg.Connection, rng: random.Random, towns: dict[str, Town], count: int) -> None:
    shared: tuple[float, float] | None = None
    for number in range(count):
        code = rng.choice(list(TOWNS))
        town, (label, postal_code) = towns[code], TOWNS[code]
        establishment = number % 9 == 0
        level = "none" if number % 29 == 13 else "commune" if number % 6 == 5 else rng.choice(("number", "street"))
        lon: float | None
        lat: float | None
        lon, lat = town.lon, town.lat
        if level in ("number", "street"):
            lon, lat = lon + rng.uniform(-0.02, 0.02), lat + rng.uniform(-0.015, 0.015)
            if number % 7 == 3 and shared:
                lon, lat = shared
            shared = (lon, lat)
        elif level == "none":
            lon = lat = None
        finess = f"78000{number:04d}"
        name = f"CENTRE HOSPITALIER {label}" if establishment else f"CABINET {rng.choice(LAST_NAMES)}"
        insert(
            conn,
            "staging.pub_site",
            key=f"finess:{finess}" if establishment else f"struct:4{number:012d}",
            kind="establishment" if establishment else "practice",
            finess=finess if establishment else None,
            name=name,
            category=CATEGORIES[number // 9 % len(CATEGORIES)] if establishment else None,
            street=f"{number + 1} RUE DE LA GARE",
            postal_code=postal_code,
            town=label,
            commune_id=town.id,
            commune_code=code,
            commune_how="code",
            commune_score=100,
            lon=lon,
            lat=lat,
            position_source="ban",
            position_level=level,
            position_score=90,
            phone="0199001234",
            hash=number + 1,
        )


def _people(conn: psycopg.Connection, rng: random.Random, sites: int, roles: int) -> None:
    keys = [row[0] for row in conn.execute("SELECT key FROM staging.pub_site ORDER BY hash").fetchall()]
    for number in range(roles):
        profession = rng.choice(PROFESSIONS)
        last_name = f"{CANARY}{number}" if number % 40 == 39 else rng.choice(LAST_NAMES)
        national_id = f"8{10_000_000_000 + number}"
        insert(
            conn,
            "staging.pub_practitioner",
            key=national_id,
            rpps=national_id[1:],
            civility="MME",
            last_name=last_name,
            first_name=rng.choice(FIRST_NAMES),
            profession=profession,
            category="C",
            specialties=[rng.choice(SPECIALTIES)] if profession == "10" else [],
            hash=number + 1,
        )
        insert(
            conn,
            "staging.pub_role",
            key=f"{national_id}/{number}/L/0",
            practitioner_key=national_id,
            site_key=keys[rng.randrange(sites)],
            profession=profession,
            category="C",
            specialties=[],
            mode="L" if number % 12 else "S",
            convention=rng.choice(("0", "1", "2", "3", None)),
            carte_vitale=rng.choice((True, False, None)),
            hash=number + 1,
        )


def _describe(conn: psycopg.Connection, rng: random.Random, towns: dict[str, Town]) -> None:
    concepts: dict[str, list[int]] = {}
    for system, key in conn.execute("SELECT system, id FROM directory.concept WHERE active ORDER BY id"):
        concepts.setdefault(system, []).append(key)
    canary = concepts["J16"][-1]
    offers = conn.execute(
        "SELECT o.id, p.last_name FROM directory.offer o LEFT JOIN directory.role r ON r.id = o.role_id"
        " LEFT JOIN directory.practitioner p ON p.id = r.practitioner_id ORDER BY o.id"
    ).fetchall()
    acts = concepts["J16"][:12]
    for offer_id, last_name in offers:
        sensitive = bool(last_name and last_name.startswith(CANARY))
        if not sensitive and rng.random() < 0.5:
            continue
        low, high = rng.choice(((0, 150), (0, 17), (18, 150), (3, 25), (16, 150)))
        conn.execute(
            "UPDATE directory.offer SET described = true, sensitive = %s, acts = %s, skills = %s, publics = %s,"
            " reception = %s, specialisations = %s, age_min = %s, age_max = %s, accepts_new = %s WHERE id = %s",
            (
                sensitive,
                [canary] if sensitive else sorted(rng.sample(acts, rng.randint(0, 4))),
                sorted(rng.sample(concepts["J33"][:6], rng.randint(0, 2))),
                sorted(rng.sample(concepts["J29"][:5], rng.randint(0, 2))),
                sorted(rng.sample(concepts["R338"][:6], rng.randint(0, 2))),
                sorted(rng.sample(concepts["J35"][:5], rng.randint(0, 1))),
                low,
                high,
                rng.choice((True, False, None)),
                offer_id,
            ),
        )
        if rng.random() < 0.6:
            for weekday in rng.sample(range(1, 8), 4):
                insert(
                    conn,
                    "directory.opening_slot",
                    offer_id=offer_id,
                    kind="07",
                    weekday=weekday,
                    opens=rng.choice(("08:30", "09:00", "22:00")),
                    closes=rng.choice(("12:00", "19:30")),
                )
        if rng.random() < 0.4:
            for town in rng.sample(list(towns.values()), 2):
                insert(conn, "directory.offer_territory", offer_id=offer_id, place_id=town.id)
    for (site_id,) in conn.execute("SELECT id FROM directory.site ORDER BY id").fetchall():
        if rng.random() < 0.4:
            concept = rng.choice(concepts["J18"][:5])
            insert(conn, "directory.site_equipment", site_id=site_id, concept_id=concept)
