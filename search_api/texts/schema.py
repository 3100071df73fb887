"""Fields of the index of texts, and how a document is made and read back.

Documents are practitioners and sites (found by the words of their own names), words of the directory (found by
beginning or with one letter wrong), and one that says up to which event the index goes. What only professionals
may find stands in fields of its own (`…_pro`): a query of the public never looks there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import orjson
import tantivy

from search_api.engine import PUBLIC
from search_api.folding import joint

FORMAT = 1
"""To be raised with every change of fields: a folder of another format is built again, never read."""

KEY, PLACES, ORDER, SHOWN = "key", "places", "order", "shown"
WORD, ODD, OPENING, RANK = "word", "odd", "opening", "rank"
PRO = "_pro"
WORDS = (WORD, ODD, WORD + PRO)
"""Where a word may stand: those of suggestions, single letters and endless ones, those of professionals only."""
KINDS = {"practitioner": "p", "site": "s"}
STATE = "state"

OPENING_LETTERS = 3
"""Beginnings this short stand for thousands of words: they are indexed themselves."""
SHORTEST, LONGEST = 2, 40
"""Letters of the words that suggestions are made of."""

_MOST_OFFERS = 10**9 - 1
_DIGITS = 9
_ID_BITS = 42
_IDS = (1 << _ID_BITS) - 1
_TOKEN = re.compile(r"[a-z0-9]+")


@cache
def schema() -> tantivy.Schema:
    """Return the schema of the index."""
    builder = tantivy.SchemaBuilder()
    for name in (KEY, WORD, WORD + PRO, ODD):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(RANK, fast=True, tokenizer_name="raw", index_option="basic")
    # Names come folded and cut: with no analyser of ours there is none to register at each opening.
    for name in (OPENING, PLACES, PLACES + PRO, *KINDS, *(kind + PRO for kind in KINDS)):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in (ORDER, ORDER + PRO):
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field(SHOWN, stored=True)
    return builder.build()


@dataclass(slots=True)
class Entity:
    """A practitioner or a site, as read from the directory.

    `folded` is its own name and `longer` the other name under which its offers are found, both folded by
    PostgreSQL. `offers` are those that the public may find, `offers_pro` all of them; `places` are the ids of where
    the public finds some, `places_pro` of where the others are, as text. `code` is its profession or category, `uid`
    that of the sheet to open.
    """

    kind: str
    id: int
    label: str
    folded: str
    longer: str | None
    code: str | None
    town: str | None
    commune_id: int | None
    uid: str
    offers: int
    offers_pro: int
    places: str
    places_pro: str

    @property
    def key(self) -> str:
        """What the document is deleted by."""
        return entity_key(self.kind, self.id)

    @property
    def all_words(self) -> str:
        """Both names."""
        return f"{self.folded} {self.longer}" if self.longer else self.folded


def entity_key(kind: str, entity_id: int) -> str:
    """Return the key of a practitioner's or a site's document."""
    return f"{KINDS[kind]}{entity_id}"


def tokens(folded: str) -> list[str]:
    """Return the words of a text that is folded already."""
    return _TOKEN.findall(folded)


def own_words(folded: str) -> str:
    """Return the words of a name by which it is found: each part, and compounds in one word (« jeanpierre »)."""
    return " ".join(tokens(folded) + joint(folded))


def entity_document(one: Entity) -> tantivy.Document:
    """Return the document of a practitioner or a site."""
    document = tantivy.Document()
    document.add_text(KEY, one.key)
    document.add_text(one.kind if one.offers else one.kind + PRO, own_words(one.folded))
    document.add_unsigned(ORDER, order_key(one.offers, one.id))
    document.add_unsigned(ORDER + PRO, order_key(one.offers_pro, one.id))
    document.add_text(PLACES, one.places)
    if one.places_pro:
        document.add_text(PLACES + PRO, one.places_pro)
    shown = [one.kind, one.id, one.label, one.code, one.town, one.commune_id, one.uid, bool(one.offers)]
    document.add_bytes(SHOWN, orjson.dumps([*shown, one.all_words]))
    return document


def word_document(word: str, offers: int) -> tantivy.Document:
    """Return the document of a word, with the offers that the public may find by it; 0 for a word of the others."""
    document = tantivy.Document()
    document.add_text(RANK, f"{_MOST_OFFERS - offers:0{_DIGITS}d}{word}")
    field = word_field(word, offers)
    document.add_text(field, word)
    if field == WORD:
        document.add_text(OPENING, " ".join(word[:length] for length in range(1, OPENING_LETTERS + 1)))
    return document


def word_field(word: str, offers: int) -> str:
    """Return where a word stands."""
    if not offers:
        return WORD + PRO
    return WORD if SHORTEST <= len(word) <= LONGEST else ODD


def state_document(position: int) -> tantivy.Document:
    """Return the document that says up to which event the index goes, committed with what it speaks of."""
    document = tantivy.Document()
    document.add_text(KEY, STATE)
    document.add_bytes(SHOWN, orjson.dumps([position]))
    return document


def shown(document: tantivy.Document) -> list[object]:
    """Return what a document keeps to be shown."""
    kept: list[object] = orjson.loads(bytes(document.get_first(SHOWN) or b"[]"))
    return kept


def order_key(offers: int, entity_id: int) -> int:
    """Return the number by which entities are sorted downwards: most offers first, then the smallest id."""
    return offers << _ID_BITS | (_IDS - entity_id)


def from_order(key: int) -> tuple[int, int]:
    """Return the offers and the id of a sort key."""
    return key >> _ID_BITS, _IDS - (key & _IDS)


def from_rank(rank: str) -> tuple[str, int]:
    """Return the word and the offers of a rank."""
    return rank[_DIGITS:], _MOST_OFFERS - int(rank[:_DIGITS])


def levels(level: int) -> Iterable[str]:
    """Return the endings of the fields in which a person of this level may look."""
    return ("",) if level <= PUBLIC else ("", PRO)
