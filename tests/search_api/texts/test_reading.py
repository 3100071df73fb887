"""The index of texts beside PostgreSQL: the same words, the same names, the same door."""

import json
import random
import re

import httpx
import psycopg
import pytest
from rapidfuzz.distance import OSA
from sqlalchemy.engine import URL

from search_api import words
from search_api.engine import NameHit, Term
from search_api.folding import fold
from search_api.texts.reader import TextReader
from search_api.words import SqlWords, TextWords
from tests.search_api import seed
from tests.search_api.texts.names import CANARY, names_found, term


def _tokens(conn: psycopg.Connection) -> dict[str, int]:
    return dict(conn.execute("SELECT token, offers FROM search_api.token").fetchall())


def _wrong(word: str, rng: random.Random) -> list[str]:
    """One typing error of each kind, and one in the first letter."""
    at = rng.randrange(1, len(word) - 1)
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
    return [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        letter + word[1:],
        word[1:],
    ]


async def test_both_sources_know_the_same_words(named: URL, conn: psycopg.Connection, reader: TextReader) -> None:
    from core.db import unit_of_work

    rng = random.Random(3)
    tokens = sorted(_tokens(conn))
    assert len(tokens) > 1_000
    asked = [*rng.sample(tokens, 300), "o", "d", "l", "le", "3m", "a" * 45, "zz", "xylophone", "12", "x", "artagnan"]
    asked += [rng.choice(_wrong(word, rng)) for word in rng.sample([t for t in tokens if len(t) > 3], 100)]
    async with unit_of_work() as session:
        for level in (1, 2):
            expected = await SqlWords().known(session, [*asked, f"{CANARY}39"], level)
            assert await TextWords(reader).known(session, [*asked, f"{CANARY}39"], level) == expected
            assert (f"{CANARY}39" in expected) == (level == 2)
        assert {"o", "3m", "artagnan", "a" * 45} <= expected and "xylophone" not in expected


async def test_both_sources_give_the_same_beginnings(named: URL, conn: psycopg.Connection, reader: TextReader) -> None:
    from core.db import unit_of_work

    rng = random.Random(4)
    tokens = sorted(_tokens(conn))
    asked = {word[: rng.randint(1, len(word))] for word in rng.sample(tokens, 300)}
    asked |= {"d", "ma", "mar", "mart", "martin", "3", "1", "zz", "dup", "a" * 45, "aaaa"}
    async with unit_of_work() as session:
        for prefix in sorted(asked):
            for limit in (1, 12, 500):
                expected = await SqlWords().beginning(session, prefix, limit)
                assert await TextWords(reader).beginning(session, prefix, limit) == expected, prefix
        assert expected == []
    assert reader.beginning("mar.*", 5) == reader.beginning("%", 5) == reader.beginning("", 5) == []


async def test_one_wrong_letter_is_mended_to_the_most_frequent_words(
    named: URL, conn: psycopg.Connection, reader: TextReader
) -> None:
    from core.db import unit_of_work

    rng = random.Random(5)
    tokens = _tokens(conn)
    ranked = sorted(tokens, key=lambda token: (-tokens[token], token))
    sample = rng.sample([token for token in sorted(tokens) if len(token) > 4], 60)
    mended = 0
    async with unit_of_work() as session:
        for word in [wrong for token in sample for wrong in _wrong(token, rng)] + ["le", "123456", "martin", "zzzzzz"]:
            right = [token for token in ranked if OSA.distance(word, token, score_cutoff=1) <= 1]
            if len(word) < 4 or word.isdigit():
                right = []
            found = await TextWords(reader).mended(session, word)
            assert found == right[: words.MENDED_NAMES], word
            by_sql = await SqlWords().mended(session, word)
            # Trigrams miss some errors in words of four or five letters.
            assert set(by_sql) <= set(right) if len(word) < 6 else by_sql == found, word
            mended += bool(found)
    assert mended > 300


def test_names_are_found_by_every_own_word_the_words_themselves_first(
    conn: psycopg.Connection, reader: TextReader
) -> None:
    rows = conn.execute(
        "SELECT p.id, core.fold(p.first_name || ' ' || p.last_name), count(*) FROM directory.offer_search s"
        " JOIN directory.role r ON r.id = s.role_id JOIN directory.practitioner p ON p.id = r.practitioner_id"
        " WHERE NOT s.sensitive GROUP BY p.id ORDER BY count(*) DESC, p.id"
    ).fetchall()
    split = {key: set(words_of(name)) for key, name, _ in rows}
    offers = {key: number for key, _, number in rows}
    for said in (("martin",), ("elodie", "saint"), ("jean", "pierre"), ("artagnan",), ("3m",), ("o",), ("yildiz",)):
        expected = [("practitioner", key, offers[key]) for key in offers if set(said) <= split[key]]
        assert expected, said
        hits = [hit for hit in reader.names(tuple(map(term, said)), 1, 10_000) if hit.kind == "practitioner"]
        assert [(hit.kind, hit.id, hit.count) for hit in hits] == expected, said
    mixed = [hit.id for hit in reader.names((term("mar", "martin"),), 1, 10_000) if hit.kind == "practitioner"]
    exact = [key for key in offers if "mar" in split[key]]
    assert exact and mixed[: len(exact)] == exact and len(mixed) > len(exact)
    assert [hit.id for hit in reader.names((term("mar", "martin"),), 1, 3) if hit.kind == "practitioner"] == mixed[:3]
    assert reader.names((), 1, 5) == reader.names((Term(text="x"),), 1, 5) == []
    assert reader.names((Term(text="x", lexemes=(frozenset(),)),), 1, 5) == []


def words_of(name: str) -> list[str]:
    return "".join(char if char.isascii() and char.isalnum() else " " for char in fold(name)).split()


def test_compounds_are_found_whole_and_by_part(reader: TextReader) -> None:
    for whole, parts in (("saintmartin", ("saint", "martin")), ("dartagnan", ("d", "artagnan"))):
        assert names_found(reader, whole) and names_found(reader, whole) <= names_found(reader, *parts)
    assert names_found(reader, "jeanpierre") == names_found(reader, "jean", "pierre") - names_found(reader, "zz")
    assert names_found(reader, "avenir") == names_found(reader, "avenirsante") == {("site", 4)}
    assert names_found(reader, "bis") == set(), "the long name finds offers, not the site by its own name"


def test_names_can_be_asked_in_places(conn: psycopg.Connection, reader: TextReader) -> None:
    rows = conn.execute("SELECT code, id FROM maps.place WHERE kind IN ('commune', 'departement')").fetchall()
    places: dict[str, int] = dict(rows)
    everyone = {hit.id for hit in reader.names((term("elodie"),), 1, 10_000)}
    inside = {}
    for code in (*seed.TOWNS, "78"):
        inside[code] = {hit.id for hit in reader.names((term("elodie"),), 1, 10_000, {places[code]})}
        expected = conn.execute(
            "SELECT DISTINCT p.id FROM directory.offer_search s JOIN directory.role r ON r.id = s.role_id"
            " JOIN directory.practitioner p ON p.id = r.practitioner_id"
            " WHERE NOT s.sensitive AND s.places @> ARRAY[%s::integer] AND p.first_name = 'Élodie'",
            (places[code],),
        ).fetchall()
        assert inside[code] == {key for (key,) in expected} != set()
    assert inside["78"] == everyone and inside["78361"] < everyone
    assert reader.names((term("elodie"),), 1, 5, {999_999_999}) == []


def test_the_sensitive_are_never_found_by_the_public(conn: psycopg.Connection, reader: TextReader) -> None:
    rows = conn.execute("SELECT id, last_name FROM directory.practitioner WHERE last_name LIKE 'ZZCANARI%'").fetchall()
    assert len(rows) == 60
    said = [name.lower() for _, name in rows]
    hits = [NameHit("practitioner", key, 1) for key, _ in rows]
    assert reader.known([*said, CANARY], 1) == frozenset()
    for word in said:
        assert reader.names((term(word, CANARY),), 1, 50) == []
        assert reader.mended(word) == reader.mended(word[:-1]) == []
        for length in range(3, len(word) + 1):
            assert reader.beginning(word[:length], 50) == []
    assert not [word for word in reader.beginning("z", 10_000) if word.startswith("zzc")]
    assert reader.cards(hits, 1) == []
    assert reader.known(said, 2) == set(said)
    assert names_found(reader, said[0], level=2) == {("practitioner", rows[0][0])}
    assert {card.label.split()[-1].lower() for card in reader.cards(hits, 2)} == set(said)
    public = {hit.id for hit in reader.names((term("elodie"),), 1, 10_000) if hit.kind == "practitioner"}
    assert public.isdisjoint(key for key, _ in rows)
    assert {hit.id for hit in reader.names((term("elodie"),), 2, 10_000)} > public


async def test_cards_show_what_the_directory_says(named: URL, reader: TextReader) -> None:
    from core.db import unit_of_work

    hits = [hit for word in ("elodie", "cabinet", "mantes") for hit in reader.names((term(word),), 1, 200)]
    assert {hit.kind for hit in hits} == {"practitioner", "site"}
    async with unit_of_work() as session:
        for level in (1, 2):
            expected = {(card.kind, card.id): card for card in await SqlWords().cards(session, hits, level)}
            found = {(card.kind, card.id): card for card in await TextWords(reader).cards(session, hits, level)}
            assert found == expected and len(found) > 100


TYPED = """
dup, dupont, dupond, brenard, elodi, d'art, d’artagnan, saint-mar, celik, zzcanari, zzc, kin, o, 3m, 😀, orthophonie,
xyzxyz, jean pier, centre hosp mantes, kiné dupont, lefevre fat
"""


@pytest.mark.parametrize("typed", [one.strip() for one in TYPED.split(",")])
async def test_the_door_answers_alike_with_and_without_the_index(
    api: httpx.AsyncClient, reader: TextReader, sql_afterwards: None, typed: str
) -> None:
    for path, params in (
        ("/api/v1/suggest", {}),
        ("/api/v1/suggest", {"where": "commune:78361"}),
        ("/api/v1/search", {}),
    ):
        answers = []
        for source in (reader, None):
            words.use(source)
            answer = await api.get(path, params={"q": typed, **params})
            # A text without words is no search, and suggests nothing.
            refused = path.endswith("search") and typed == "😀"
            assert answer.status_code == (422 if refused else 200), answer.text
            answers.append(answer.json())
        assert answers[0] == answers[1]
        # What was typed is said again; a name has a number.
        assert not re.search(seed.CANARY + r"\d", json.dumps(answers[0]))
