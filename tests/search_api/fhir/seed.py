"""The small directory of the search, with all that a resource of the feed may hold: hours, contacts, closures."""

from datetime import date, time

import psycopg

WORD = "zzserin"
"""In everything that only professionals may read."""
SECRET_PHONE = "0639989877"
MAILBOX = "essai@kine.mssante.fr"


def enrich(conn: psycopg.Connection) -> int:
    """Give an offer, its site and its person everything that they may hold; return the offer's internal id."""
    offer = conn.execute(
        "SELECT o.id, o.site_id, o.role_id FROM directory.offer o JOIN directory.role r ON r.id = o.role_id"
        " JOIN directory.offer_search s ON s.offer_id = o.id WHERE NOT o.sensitive AND r.mode = 'L'"
        " ORDER BY cardinality(o.acts) DESC, o.id LIMIT 1"
    ).fetchone()
    assert offer
    offer_id, site_id, role_id = offer
    rows = conn.execute("SELECT system, array_agg(id ORDER BY id) FROM directory.concept WHERE active GROUP BY system")
    concepts: dict[str, list[int]] = dict(rows.fetchall())
    legal = conn.execute(
        "INSERT INTO directory.legal_entity (key, finess, siren, name, long_name, legal_status, street, postal_code,"
        " town, commune_code, phone, opened_on) VALUES ('finess:780009999', '780009999', '123456782', 'ASSOCIATION',"
        " 'ASSOCIATION DE SOINS', '60', '1 RUE DE L’ÉGLISE', '78200', 'MANTES LA JOLIE', '78361', '0134000001',"
        " '1990-05-02') RETURNING id"
    ).fetchone()
    assert legal
    conn.execute(
        "UPDATE directory.site SET legal_entity_id = %s, siret = '12345678200015', finess = '780001111',"
        " sector = 'SA07', category = '355', accessibility = '1', complement = 'BÂTIMENT B',"
        " street = '12 BIS RUE DE LA GARE', phone2 = '0601020304', fax = '0134000002',"
        " email = 'accueil@example.org', opened_on = '2001-01-01',"
        " long_name = 'CABINET LONG NOM' WHERE id = %s",
        (legal[0], site_id),
    )
    conn.execute(
        "UPDATE directory.role SET convention = '3', fee_option = '3', carte_vitale = true, ameli_phone = '0134000003',"
        " specialties = '{R38|SM54,R40|C01}' WHERE id = %s",
        (role_id,),
    )
    conn.execute(
        "UPDATE directory.offer SET described = true, comment = %s, languages = '{fr,en,kab}', acts = %s,"
        " outside_acts = %s, closing_on = '2027-01-02', reopening_on = '2027-03-04', public_holidays = 'hours',"
        " publics = %s, reception = %s, skills = %s, specialisations = %s WHERE id = %s",
        (
            f"Commentaire {WORD}",
            concepts["J16"][:2],
            concepts["J16"][1:3],
            concepts["J29"][:1],
            concepts["R338"][:2],
            concepts["J33"][:1],
            concepts["J35"][:1],
            offer_id,
        ),
    )
    contacts = [
        ("booking_phone", "02", "2", "0134000004", 1),
        ("booking_url", "02", "4", "https://rdv.example.org/essai", 1),
        ("mssante", "04", "3", MAILBOX, 1),
        ("pro_phone", "04", "2", SECRET_PHONE, 2),
        ("other_email", "07", "3", f"{WORD}@example.org", 2),
        # A public mark on a field for professionals: the stricter of the two wins.
        ("emergency_phone", "14", "2", "0639989878", 1),
        ("mssante", "04", "3", f"{WORD}@kine.mssante.fr", 2),
    ]
    for purpose, nature, channel, value, level in contacts:
        conn.execute(
            "INSERT INTO directory.contact_point (offer_id, purpose, nature, channel, value, confidentiality)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (offer_id, purpose, nature, channel, value, level),
        )
    conn.execute(
        "INSERT INTO directory.contact_point (site_id, purpose, nature, channel, value, confidentiality)"
        " VALUES (%s, 'booking_phone', '02', '2', '0134000005', 1), (%s, 'pro_phone', '04', '2', %s, 2)",
        (site_id, site_id, SECRET_PHONE),
    )
    conn.execute("DELETE FROM directory.opening_slot WHERE offer_id = %s", (offer_id,))
    slots = [
        ("07", 1, time(9), time(12), None, None),
        ("07", 1, time(14), time(19), date(2026, 9, 1), date(2027, 6, 30)),
        ("06", 2, time(9), time(12), None, None),
        ("indisponible", 2, time(10), time(11), None, None),
        ("03", 6, time(0), time(0), None, None),
        ("05", 5, time(22), time(2), None, None),
    ]
    for slot in slots:
        conn.execute(
            "INSERT INTO directory.opening_slot (offer_id, kind, weekday, opens, closes, valid_from, valid_to)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (offer_id, *slot),
        )
    exceptions = [
        ("leave", "2026-12-20", "2026-12-31", None, None),
        ("absence", "2026-11-30", "2026-12-02", "Dr Remplaçante", "0134000006"),
        ("special", "2026-12-05", "2026-12-06", None, None),
        ("closed", "2027-02-01", date.max, None, None),
    ]
    for kind, start, end, who, phone in exceptions:
        row = conn.execute(
            "INSERT INTO directory.hours_exception (offer_id, kind, starts_on, ends_on, replacement, replacement_phone)"
            " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
            (offer_id, kind, start, end, who, phone),
        ).fetchone()
        assert row
        if kind == "special":
            conn.execute(
                "INSERT INTO directory.special_slot (offer_id, exception_id, kind, opens, closes)"
                " VALUES (%s, %s, '07', '10:00', '11:30')",
                (offer_id, row[0]),
            )
    conn.execute(
        "INSERT INTO directory.special_slot (offer_id, kind, opens, closes) VALUES (%s, '07', '09:00', '11:00')",
        (offer_id,),
    )
    conn.execute("DELETE FROM directory.offer_territory WHERE offer_id = %s", (offer_id,))
    conn.execute(
        "INSERT INTO directory.offer_territory (offer_id, place_id) SELECT %s, id FROM maps.place"
        " WHERE (kind, code) IN (('commune', '78361'), ('departement', '78'), ('region', '11'))"
        " OR id = (SELECT min(id) FROM maps.place WHERE kind = 'epci')",
        (offer_id,),
    )
    return int(offer_id)
