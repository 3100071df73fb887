"""« Où ? »: places as mail names them (CEDEX, districts, codes that no town has), and our own labels typed again."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import URL

from maps import api
from maps.gather import from_wheel
from tests.conftest import _dsn, load_place_rows, truncate_all

pytestmark = pytest.mark.usefixtures("around_paris")

DEPARTEMENTS = ("2B", "69", "75", "78", "91", "92", "95", "971", "978")


@pytest.fixture(scope="module")
def around_paris(database: URL) -> Iterator[None]:
    truncate_all(_dsn(database))
    api.invalidate()
    load_place_rows(from_wheel(DEPARTEMENTS, contours=False))
    yield
    truncate_all(_dsn(database))
    api.invalidate()


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("la défense", "commune:92062"),
        ("La Defense CEDEX", "commune:92062"),
        ("paris la défense", "commune:92062"),
        ("92974 Paris La Défense Cedex", "commune:92062"),
        ("92974", "commune:92062"),
        ("roissy cdg", "commune:95527"),
        ("cergy-pontoise", "epci:249500109"),
        ("evry", "commune:91228"),
        ("Évry Cedex", "commune:91228"),
        ("versailles cedex", "commune:78646"),
        ("78201", "commune:78361"),
        ("78014", "commune:78646"),
        ("78201 mantes la jolie cedex", "commune:78361"),
        ("75000", "commune:75056"),
        ("75800", "commune:75056"),
        ("75008 paris", "commune:75108"),
        ("Paris 75008", "commune:75108"),
        ("Paris cedex 08", "commune:75108"),
        ("75380 PARIS CEDEX 08", "commune:75108"),
        ("69365", "commune:69123"),
        ("lyon cedex 07", "commune:69387"),
        ("97159", "departement:971"),
        ("20991", "departement:2B"),
    ],
)
def test_mail_is_followed_to_a_town(text: str, ref: str) -> None:
    assert api.suggest(text, 5)[0].ref == ref


@pytest.mark.parametrize("code", [*(f"{number:05d}" for number in range(78_001, 79_000, 17)), "92974", "91025"])
def test_five_digits_never_lead_to_another_departement(code: str) -> None:
    hits = api.suggest(code, 10)
    assert hits
    assert {hit.departement for hit in hits} == {code[:2]}


def test_a_code_of_nowhere_leads_nowhere() -> None:
    assert api.suggest("99123") == []
    assert api.suggest("44999") == []


def test_our_own_labels_find_their_places() -> None:
    hits = [hit for code in ("78", "7820", "92", "75008") for hit in api.suggest(code, 300)]
    hits += [hit for name in ("saint", "mantes", "ver", "paris 1") for hit in api.suggest(name, 40)]
    assert {"cp:78200", "commune:78361", "departement:78"} <= {hit.ref for hit in hits}
    lost = [hit.label for hit in hits if api.suggest(hit.label, 1)[0].label != hit.label]
    assert lost == []


def test_a_label_being_edited_still_leads_to_its_code() -> None:
    for text in ("78200 (Mantes-la-Jolie, Magnanville", "78200 (", " 78200 (Limay)"):
        assert api.suggest(text, 1)[0].ref == "cp:78200"
    assert api.suggest("78200 Mantes-la-Jolie, Magnanville", 1)[0].ref == "cp:78200"


@pytest.mark.parametrize(
    "text", ["versailles", "versaille", "versailes", "parsi", "mant", "78201", "monttigny le bretonneu"]
)
def test_what_is_likely_scores_more_than_what_merely_resembles(text: str) -> None:
    assert not api.suggest(text, 1)[0].doubtful


@pytest.mark.parametrize("text", ["vresailes", "lamay", "78200 nullepart"])
def test_what_merely_resembles_says_so(text: str) -> None:
    hits = api.suggest(text, 5)
    assert hits
    assert all(hit.doubtful for hit in hits)
