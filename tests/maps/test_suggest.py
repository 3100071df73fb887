"""« Où ? »: what people type, and the place that they mean."""

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maps import api
from tests.conftest import load_place_rows

pytestmark = pytest.mark.usefixtures("loaded")


def refs(text: str, limit: int = 10, **options: Any) -> list[str]:
    return [hit.ref for hit in api.suggest(text, limit, **options)]


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("Mantes-la-Jolie", "commune:78361"),
        ("mantes la jolie", "commune:78361"),
        ("MANTES", "commune:78361"),
        ("mantes la j", "commune:78361"),
        ("jolie mantes", "commune:78361"),
        ("mantes 78", "commune:78361"),
        ("78200 mantes", "commune:78361"),
        ("mantelajolie", "commune:78361"),
        ("épône", "commune:78217"),
        ("epone", "commune:78217"),
        ("st germain en laye", "commune:78551"),
        ("saintgermain en laye", "commune:78551"),
        ("ste marie", "commune:97418"),
        ("st remy les chevreuse", "commune:78575"),
        ("st rémy l chevreuse", "commune:78575"),
        ("l'étang-la-ville", "commune:78224"),
        ("etang la ville", "commune:78224"),
        ("le vesinet", "commune:78650"),
        ("vesinet", "commune:78650"),
        ("vésinet (le)", "commune:78650"),
        ("versailes", "commune:78646"),
        ("vresailles", "commune:78646"),
        ("Mnates la jolie", "commune:78361"),
        ("montigny lebretonneux", "commune:78423"),
        ("monttigny le bretonneu", "commune:78423"),
        ("marseile", "commune:13055"),
        ("aix", "commune:13001"),
        ("saint denis", "commune:97411"),
        ("saint denis 974", "commune:97411"),
        ("saint martin", "commune:97801"),
        ("saint barth", "commune:97701"),
        ("paris", "commune:75056"),
        ("paris 12", "commune:75112"),
        ("Paris 12ème", "commune:75112"),
        ("12e arrondissement paris", "commune:75112"),
        ("marseille 15e", "commune:13215"),
        ("yvelines", "departement:78"),
        ("78", "departement:78"),
        ("2a", "departement:2A"),
        ("2A", "departement:2A"),
        ("971", "departement:971"),
        ("corse du sud", "departement:2A"),
        ("ile de france", "region:11"),
        ("idf", "region:11"),
        ("france", "france"),
        ("78200", "cp:78200"),
        ("78361", "commune:78361"),
        ("2A004", "commune:2A004"),
        ("200059889", "epci:200059889"),
        ("grand paris seine", "epci:200059889"),
    ],
)
def test_the_first_answer(text: str, ref: str) -> None:
    assert refs(text)[0] == ref


def test_the_start_of_a_postal_code_gives_its_communes_and_codes() -> None:
    hits = api.suggest("7820", 10)
    assert {hit.kind for hit in hits} == {"commune", "code_postal"}
    assert all(any(code.startswith("7820") for code in hit.postal_codes) for hit in hits)
    assert hits[0].ref == "commune:78361"


def test_a_postal_code_then_its_communes_by_population() -> None:
    hits = api.suggest("78200", 5)
    assert hits[0].ref == "cp:78200"
    assert hits[1].ref == "commune:78361"
    populations = [hit.population for hit in hits[1:]]
    assert populations == sorted(populations, reverse=True)


def test_a_town_before_the_hamlets_of_the_same_beginning() -> None:
    found = refs("mantes")
    assert found.index("commune:78361") < found.index("commune:78362")


def test_an_exact_name_is_never_far() -> None:
    assert "commune:13001" in refs("aix")[:2]
    assert "commune:78015" in refs("andresy")[:1]


def test_kinds_limit_the_answer() -> None:
    assert refs("paris", kinds=["departement"])[0] == "departement:75"
    assert {hit.kind for hit in api.suggest("78", 10, kinds=["cp"])} == {"code_postal"}
    assert refs("paris", kinds=[]) == []


def test_bounds() -> None:
    assert api.suggest("") == []
    assert api.suggest("  -'  ") == []
    assert api.suggest("paris", 0) == []
    assert len(api.suggest("sa", 3)) == 3
    assert len(api.suggest("saint " * 1000, 10)) <= 10
    assert api.suggest("zzzzzzzzzzqqq") == []


def test_labels_tell_places_apart() -> None:
    [town, *_] = api.suggest("mantes-la-jolie")
    assert (town.label, town.context) == ("Mantes-la-Jolie (78200)", "Yvelines")
    [departement, *_] = api.suggest("78")
    assert departement.label == "Yvelines (78)"
    assert departement.boundary
    assert not town.boundary
    hits = api.suggest("saint-germain", 10)
    assert len({(hit.label, hit.kind) for hit in hits}) == len(hits)


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    hits = api.suggest(text, 5)
    assert len(hits) <= 5
    assert len({hit.id for hit in hits}) == len(hits)


def test_threads_get_the_same_answer() -> None:
    answers: list[list[str]] = []

    def ask() -> None:
        answers.extend([text, *refs(text)] for text in ("mantes", "versailes", "781", "st germain"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 16
    assert len({tuple(answer) for answer in answers}) == 4


def test_references() -> None:
    town = api.resolve_ref("commune", "78361")
    assert town is not None
    assert api.place_by_id(town.id) == town
    assert api.resolve_ref("commune", "75112") == api.resolve_ref("arrondissement", "75112")
    old = api.resolve_ref("commune", "97127")
    assert old is not None
    assert old.code == "97801"
    france = api.resolve_ref("france")
    assert france is not None
    assert france.ref == "france"
    assert api.resolve_ref("cp", "78200") == api.resolve_ref("code_postal", "78200")
    assert api.resolve_ref("commune", "00000") is None
    assert api.resolve_ref("galaxie", "1") is None
    assert api.place_by_id(-1) is None


def test_what_contains_a_commune() -> None:
    town = api.resolve_ref("commune", "75112")
    assert town is not None
    inside = {hit.ref for i in api.containers_of([town.id])[town.id] if (hit := api.place_by_id(i))}
    assert {"commune:75056", "departement:75", "region:11", "france"} <= inside


def test_changed_places_are_read_again(place_rows: list[Any]) -> None:
    before = api.places_version()
    load_place_rows(place_rows)
    assert api.places_version() != before
    assert refs("mantes")[0] == "commune:78361"
