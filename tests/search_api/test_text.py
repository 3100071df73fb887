"""French text: folding, stems, synonyms, typing errors, places inside the text, scopes."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from search_api import lexicon
from search_api.folding import fold, stem, words
from search_api.lexicon import SynonymsError, parse_synonyms, synonyms
from search_api.settings import SearchSettings


def test_words_are_folded_as_the_database_folds_names() -> None:
    assert words("L’Hôpital d'ENFANTS, œdème  Saint-Ouen-l’Aumône") == [
        "hopital",
        "enfants",
        "oedeme",
        "saint",
        "ouen",
        "aumone",
    ]
    assert fold("ÉLODIE Çelik") == "elodie celik"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("infirmier", "infirmières"),
        ("chirurgien", "chirurgiennes"),
        ("masseur", "masseuse"),
        ("hopital", "hopitaux"),
        ("dentiste", "dentistes"),
        ("medical", "médicales"),
        ("opticien", "opticienne"),
        ("vertige", "vertiges"),
        ("sportif", "sportives"),
    ],
)
def test_plural_and_feminine_meet_in_one_stem(one: str, other: str) -> None:
    assert stem(fold(one)) == stem(fold(other))


def test_short_words_keep_their_letters() -> None:
    assert stem("dos") == "dos" and stem("os") == "os" and stem("irm") == "irm"


def test_the_synonyms_file_is_read_and_refuses_what_it_does_not_understand() -> None:
    assert synonyms().codes[("kin",)][0] == ("G15|70", "J238|195")
    read = parse_synonyms("# note\n! mon, ma\ncœur, mon cardio = R38|SM04\nmédecin == G15|10\n")
    assert read.codes[("coeur",)] == (("R38|SM04",), False)
    assert read.codes[("cardio",)] == (("R38|SM04",), False)
    assert read.codes[("medecin",)] == (("G15|10",), True)
    with pytest.raises(SynonymsError, match="ligne 2"):
        parse_synonyms("a = J17|1\nkiné\n")
    with pytest.raises(SynonymsError, match="ligne 1"):
        parse_synonyms("kiné = soixante-dix")


def test_an_edited_synonyms_file_is_read_again_and_a_broken_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "synonyms.txt"
    path.write_text("rebouteux = G15|70\n", encoding="utf-8")
    monkeypatch.setattr(lexicon, "search_settings", lambda: SearchSettings(synonyms=path))
    assert ("rebouteu",) in synonyms().codes
    path.write_text("rebouteux ; G15|70\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert ("rebouteu",) in synonyms().codes
    path.write_text("guérisseur = G15|70\n", encoding="utf-8")
    os.utime(path, ns=(2, 2))
    assert ("guerisseur",) in synonyms().codes
    monkeypatch.undo()
    assert ("kin",) in synonyms().codes


async def total(api: httpx.AsyncClient, q: str, **params: Any) -> int:
    answer = await api.get("/api/v1/search", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total_offers"])


async def of_code(api: httpx.AsyncClient, *codes: str) -> int:
    answer = await api.get("/api/v1/search", params={"professions": list(codes)})
    return int(answer.json()["total_offers"])


@pytest.mark.parametrize(
    "text",
    [
        "kiné",
        "KINÉ",
        "kine",
        "kinés",
        "le kiné",
        "un masseur-kinésithérapeute",
        "masseur kinesitherapeute",
        "masseuse",
        "kinésithérapeutes",
        "kinésithérapie",
        "kinésithérpeute",
        "kinésithérapeutte",
        "kinésithérapuete",
        "kinésithérapeute libéral",
        "G15|70",
        "mk",
    ],
)
async def test_a_profession_is_found_however_it_is_written(api: httpx.AsyncClient, text: str) -> None:
    expected = await of_code(api, "G15|70")
    answer = (await api.get("/api/v1/search", params={"q": text, "professions": "G15|70"})).json()
    assert answer["total_offers"] == expected > 0
    assert any(one["code"] in ("G15|70", "J238|195") for one in answer["understood"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("IDE", "G15|60"),
        ("infirmière", "G15|60"),
        ("sage femme", "G15|50"),
        ("sages-femmes", "G15|50"),
        ("dentiste", "G15|40"),
        ("podologue", "G15|80"),
        ("orthophonniste", "G15|91"),
        ("médecin", "G15|10"),
    ],
)
async def test_synonyms_lead_to_the_profession(api: httpx.AsyncClient, text: str, code: str) -> None:
    assert await total(api, text, professions=code) == await of_code(api, code) > 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("généraliste", "R38|SM54"),
        ("médecin généraliste", "R38|SM54"),
        ("médecin traitant", "R38|SM54"),
        ("ophtalmo", "R38|SM38"),
        ("ophtalmologue", "R38|SM38"),
        ("dermato", "R38|SM15"),
        ("pédiatre", "R38|SM40"),
    ],
)
async def test_synonyms_lead_to_the_specialty(api: httpx.AsyncClient, text: str, code: str) -> None:
    expected = (await api.get("/api/v1/search", params={"specialties": code})).json()["total_offers"]
    assert await total(api, text, specialties=code) == expected > 0
    others = await total(api, text, professions="G15|70")
    assert others == 0


async def names(api: httpx.AsyncClient, q: str, **params: Any) -> set[str]:
    answer = (await api.get("/api/v1/search", params={"q": q, **params})).json()
    return {offer["practitioner"] for item in answer["items"] for offer in item["offers"]}


async def test_each_word_must_match_a_code_or_a_name(api: httpx.AsyncClient) -> None:
    found = await names(api, "dr dupont kiné")
    assert found
    both = await total(api, "dupont kiné")
    assert 0 < both < min(await total(api, "dupont"), await total(api, "kiné"))
    assert await total(api, "dupont", scope="noms", professions="G15|70") == both


async def test_names_are_found_without_accents_hyphens_or_apostrophes(api: httpx.AsyncClient) -> None:
    assert await total(api, "lefevre") == await total(api, "LEFÈVRE") > 0
    assert await total(api, "jean pierre artagnan") == await total(api, "Jean-Pierre d’Artagnan")
    assert await total(api, "celik") == await total(api, "Çelik") > 0
    assert await total(api, "saint martin") <= await total(api, "martin")


@pytest.mark.parametrize(("typed", "name"), [("dupond", "dupont"), ("lefvre", "lefevre"), ("brenard", "bernard")])
async def test_one_wrong_letter_in_a_name_is_mended_and_told(api: httpx.AsyncClient, typed: str, name: str) -> None:
    answer = (await api.get("/api/v1/search", params={"q": typed})).json()
    assert answer["total_offers"] >= await total(api, name) > 0
    assert any(f"« {typed} » lu « {name} »" in one["label"] for one in answer["understood"])


async def test_an_unknown_word_finds_nothing_and_is_named(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/api/v1/search", params={"q": "kiné xylophoniste"})).json()
    assert answer["total"] == 0
    assert any("xylophoniste" in line for line in answer["widen"])


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("kinésithérapeute près de Mantes-la-Jolie", "commune:78361"),
        ("kiné a mantes la jolie", "commune:78361"),
        ("kiné à Versailles", "commune:78646"),
        ("dr dupont kiné versailles", "commune:78646"),
        ("kiné 78200", "cp:78200"),
        ("kiné dans les Yvelines", "departement:78"),
        ("infirmière autour de limay", "commune:78335"),
        ("kiné près de St Germain en Laye", "commune:78551"),
        ("kiné saint germain en laye", "commune:78551"),
        ("kiné rosny sur seine", "commune:78531"),
        ("kiné à Limay pour enfants", "commune:78335"),
    ],
)
async def test_a_place_inside_the_text_is_understood_and_said(api: httpx.AsyncClient, text: str, ref: str) -> None:
    answer = (await api.get("/api/v1/search", params={"q": text})).json()
    assert answer["understood"][0]["code"] == ref
    assert answer["centre"]["ref"] == ref
    assert answer["total"] > 0


async def test_a_chosen_place_wins_over_the_text(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/api/v1/search", params={"q": "kiné", "where": "commune:78646"})).json()
    assert answer["centre"]["ref"] == "commune:78646"


async def test_a_name_alone_is_not_taken_for_a_town(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/api/v1/search", params={"q": "mantes"})).json()
    assert answer["centre"] is None and answer["total"] > 0
    assert all("MANTES" in item["site"]["name"] for item in answer["items"])


async def test_a_town_alone_in_no_name_is_a_place(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/api/v1/search", params={"q": "saint germain en laye"})).json()
    assert answer["centre"]["ref"] == "commune:78551" and answer["total"] > 0


async def test_a_scope_reads_the_text_in_one_nomenclature(api: httpx.AsyncClient) -> None:
    assert await total(api, "dupont", scope="G15") == 0
    assert await total(api, "kinésithérapeute", scope="G15") == await of_code(api, "G15|70")
    assert await total(api, "kinésithérapeute", scope="J16", professions="G15|60") == 0
    assert await total(api, "kiné", scope="noms") == 0


async def test_words_that_say_nothing_are_left_out_unless_there_is_nothing_else(api: httpx.AsyncClient) -> None:
    assert await total(api, "je cherche un bon kiné") == await total(api, "kiné")
    assert (await api.get("/api/v1/search", params={"q": "le la les"})).status_code == 200


async def suggestions(api: httpx.AsyncClient, q: str, **params: Any) -> list[dict[str, Any]]:
    answer = await api.get("/api/v1/suggest", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_suggestions_are_grouped_counted_and_ordered(api: httpx.AsyncClient) -> None:
    groups = await suggestions(api, "kin", where="commune:78361")
    labels = [group["label"] for group in groups]
    assert "Types d’unité" in labels and "Spécialités et professions" in labels
    specialties = next(group for group in groups if group["label"] == "Spécialités et professions")
    kine = specialties["items"][0]
    assert kine["code"] == "G15|70" and kine["count"] == await of_code(api, "G15|70")
    assert kine["detail"] == "Yvelines"
    for group in groups:
        zero = [item["count"] == 0 for item in group["items"]]
        assert zero == sorted(zero) and len(zero) <= 6
    best = [group["items"][0]["count"] == 0 for group in groups]
    assert best == sorted(best)


async def test_a_code_without_offers_is_still_suggested_last_with_zero(api: httpx.AsyncClient) -> None:
    groups = await suggestions(api, "opticien")
    items = [item for group in groups for item in group["items"] if item["code"] == "G15|28"]
    assert items == [{"label": "Opticien-lunetier", "detail": None, "code": "G15|28", "url": None, "count": 0}]


async def test_people_and_places_are_suggested_by_name_beginning_and_typing_error(api: httpx.AsyncClient) -> None:
    for typed in ("dup", "dupont", "dupond"):
        groups = {group["group"]: group["items"] for group in await suggestions(api, typed, where="commune:78361")}
        people = groups["practitioners"]
        assert all("DUPONT" in item["label"] for item in people)
        assert all(item["url"].startswith("/offres/") and item["count"] >= 1 for item in people)
    hospitals = {group["group"]: group["items"] for group in await suggestions(api, "centre hosp mantes")}
    assert all("CENTRE HOSPITALIER MANTES" in item["label"] for item in hospitals["establishments"])
    assert hospitals["establishments"][0]["url"].startswith("/sites/")


async def test_suggestions_follow_synonyms_and_typing_errors(api: httpx.AsyncClient) -> None:
    for typed, code in (("toubib", "G15|10"), ("sage f", "G15|50"), ("infirmiere", "G15|60"), ("dentsite", "G15|40")):
        found = {item["code"] for group in await suggestions(api, typed) for item in group["items"]}
        assert code in found, typed


async def test_an_error_in_an_unfinished_word_is_forgiven(api: httpx.AsyncClient) -> None:
    for whole, code in (("kinesiterapeute", "G15|70"), ("orthofoniste", "G15|91"), ("infirmire", "G15|60")):
        for length in range(7, len(whole) + 1):
            groups = await suggestions(api, whole[:length])
            assert code in {item["code"] for group in groups for item in group["items"]}, whole[:length]
    # A short word is near the beginning of too many to be guessed.
    assert not [item for group in await suggestions(api, "pidia") for item in group["items"] if item["code"]]


async def test_nothing_typed_suggests_nothing(api: httpx.AsyncClient) -> None:
    assert await suggestions(api, " ") == []
    assert (await api.get("/api/v1/suggest", params={"q": "k", "where": "commune:00000"})).status_code == 422
    assert (await api.get("/api/v1/suggest", params={"q": "k", "zz": "1"})).status_code == 422
    assert (await api.get("/api/v1/suggest", params={"q": "k", "lat": "48"})).status_code == 422
