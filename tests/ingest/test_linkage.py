"""Linkage of AMELI lines to RPPS activities: each hard case on a tiny hand-made frame."""

import json
from typing import Any

import pandas as pd
import pytest

from ingest.linkage import LinkResult, link
from ingest.linkage.sources import ACTIVITY_COLUMNS, AMELI_COLUMNS

PHONE, OTHER_PHONE = "0199000001", "0199000002"


def line(surname: str, first: str, **fields: str) -> dict[str, Any]:
    """An AMELI line, by default a nurse at 12 rue des Lilas, 78200 Mantes-la-Jolie."""
    base = dict.fromkeys(AMELI_COLUMNS, "")
    base |= {
        "ps_activite_nom": surname,
        "ps_activite_prenom": first,
        "ps_activite_civilite": "F",
        "specialite_code": "24",
        "coordonnees_num_tel": PHONE,
        "coordonnees_voie": "12 RUE DES LILAS",
        "coordonnees_code_postal": "78200",
        "coordonnees_ville": "MANTES LA JOLIE",
    }
    short = {
        "gender": "ps_activite_civilite",
        "specialty": "specialite_code",
        "phone": "coordonnees_num_tel",
        "street": "coordonnees_voie",
        "postcode": "coordonnees_code_postal",
        "town": "coordonnees_ville",
    }
    return base | {short[k]: v for k, v in fields.items()}


def activity(rpps: str, surname: str, first: str, **fields: str) -> dict[str, Any]:
    """An RPPS activity at the same default address; its structure is "S" + rpps."""
    base = dict.fromkeys(ACTIVITY_COLUMNS, "")
    base |= {
        "rpps": rpps,
        "structure": f"S{rpps}",
        "mode": "L",
        "last_name": surname,
        "first_name": first,
        "civility": "MME",
        "profession": "60",
        "number": "12",
        "way_type": "R",
        "way": "DES LILAS",
        "postal_code": "78200",
        "commune_code": "78361",
        "commune_label": "Mantes-la-Jolie",
        "phone": "01 99 00 00 01",
        "department": "78",
    }
    return base | fields


AWAY = {"way": "VICTOR HUGO", "number": "3", "postal_code": "95300", "commune_label": "Pontoise", "phone": ""}


def run(
    lines: list[dict[str, Any]], activities: list[dict[str, Any]], decisions: list[dict[str, str]] | None = None
) -> LinkResult:
    ameli = pd.DataFrame(lines, columns=list(AMELI_COLUMNS))
    ameli.insert(0, "line", range(1, len(lines) + 1))
    return link(
        ameli,
        pd.DataFrame(activities, columns=list(ACTIVITY_COLUMNS)),
        pd.DataFrame(decisions) if decisions else None,
    )


def outcome(result: LinkResult) -> list[tuple[str, str]]:
    return list(zip(result.links["rpps"], result.links["decision"], strict=True))


def test_plain_case_with_the_usual_dirt() -> None:
    result = run(
        [line("DARTIGUES LENOIR", "HELENE", street="12 R LILAS", postcode="78200 ", town="MANTES LA JOLIE CEDEX")],
        [activity("1", "D'Artigues-Lenoir", "Hélène")],
    )
    assert outcome(result) == [("1", "auto")]
    row = result.links.iloc[0]
    assert row["structure"] == "S1"
    assert 0 <= row["score"] <= 1000
    said = json.loads(row["explanation"])
    assert said["nom"][0] == "égal"
    assert said["voie"][0] == "égale"


@pytest.mark.parametrize("kept", ["DUVALLET", "MERCADIER"])
def test_one_part_of_a_double_surname_is_missing(kept: str) -> None:
    assert outcome(run([line(kept, "ANNE")], [activity("1", "DUVALLET-MERCADIER", "Anne")])) == [("1", "auto")]


def test_a_slip_in_one_part_of_a_double_surname() -> None:
    result = run([line("DUVALLET MERCAIDER", "ANNE", phone="")], [activity("1", "DUVALLET-MERCADIER", "Anne")])
    assert outcome(result) == [("1", "auto")]


def test_saint_in_town_and_street() -> None:
    result = run(
        [line("ROUVEL", "ANNE", street="4 BIS AV DU GAL LECLERC", town="ST CYR L ECOLE", postcode="78210", phone="")],
        [
            activity(
                "1",
                "ROUVEL",
                "Anne",
                number="4",
                repetition="B",
                way_type="AV",
                way="DU GENERAL LECLERC",
                postal_code="78210",
                commune_label="Saint-Cyr-l'École",
                phone="",
            )
        ],
    )
    assert outcome(result) == [("1", "auto")]


def test_cedex_postcode_with_the_geographic_one_in_the_office() -> None:
    result = run(
        [line("ROUVEL", "ANNE", postcode="75012", town="PARIS", phone="")],
        [activity("1", "ROUVEL", "Anne", postal_code="75954", cedex_office="75012 PARIS", commune_label="Paris 12e")],
    )
    assert outcome(result) == [("1", "auto")]


def test_twins_in_one_practice_are_told_apart() -> None:
    result = run(
        [line("ROUVEL", "ANNE"), line("ROUVEL", "AGNES")],
        [activity("1", "ROUVEL", "Agnès"), activity("2", "ROUVEL", "Anne")],
    )
    assert outcome(result) == [("2", "auto"), ("1", "auto")]


def test_father_and_son_of_the_same_initial_and_phone() -> None:
    lines = [line("ROUVEL", "JEAN", gender="H")]
    son = activity("1", "ROUVEL", "Jacques", civility="M")
    father = activity("2", "ROUVEL", "Jean", civility="M")
    assert outcome(run(lines, [son, father])) == [("2", "auto")]
    assert outcome(run(lines, [son]))[0][1] != "auto"


def test_only_an_initial_between_twins_is_for_review() -> None:
    result = run([line("ROUVEL", "A")], [activity("1", "ROUVEL", "Agnès"), activity("2", "ROUVEL", "Anne")])
    assert result.links["decision"].tolist() == ["review"]
    assert set(result.candidates["rpps"]) == {"1", "2"}


def test_changed_surname_at_the_same_phone_and_address() -> None:
    assert outcome(run([line("MERCADIER", "ANNE")], [activity("1", "ROUVEL", "Anne")])) == [("1", "auto")]


def test_changed_surname_does_not_take_a_colleague_who_has_her_own_line() -> None:
    result = run(
        [line("ROUVEL", "ANNE"), line("MERCADIER", "ANNE")],
        [activity("1", "ROUVEL", "Anne")],
    )
    assert outcome(result)[0] == ("1", "auto")
    assert outcome(result)[1][1] != "auto"


def test_move_with_the_phone_kept() -> None:
    result = run([line("ROUVELLAT", "ANNE")], [activity("1", "ROUVELLAT", "Anne", **AWAY | {"phone": PHONE})])
    assert outcome(result) == [("1", "auto")]


def test_move_with_the_name_alone_is_proposed_not_linked() -> None:
    result = run(
        [line("ROUVELLAT", "ANNE", specialty="35")],
        [activity("1", "ROUVELLAT", "Anne", profession="10", specialties="SM30", **AWAY)],
    )
    assert outcome(result) == [("1", "review")]


def test_homonyms_in_one_town_follow_address_and_phone() -> None:
    other = {"number": "40", "way": "PASTEUR", "phone": OTHER_PHONE}
    result = run(
        [line("ROUVEL", "ANNE", street="40 RUE PASTEUR", phone=""), line("ROUVEL", "ANNE", street="")],
        [activity("1", "ROUVEL", "Anne"), activity("2", "ROUVEL", "Anne", **other)],
    )
    assert outcome(result) == [("2", "auto"), ("1", "auto")]


def test_homonym_of_other_gender_or_specialty_is_not_linked() -> None:
    man = activity("1", "ROUVEL", "Camille", civility="M", phone="", number="3", way="PASTEUR")
    assert outcome(run([line("ROUVEL", "CAMILLE")], [man]))[0][1] != "auto"
    doctor = activity("2", "ROUVEL", "Camille", profession="10", specialties="SM15", **AWAY)
    assert outcome(run([line("ROUVEL", "CAMILLE", specialty="03")], [doctor]))[0][1] != "auto"
    assert outcome(run([line("ROUVEL", "CAMILLE", specialty="26")], [activity("3", "ROUVEL", "Camille")])) == [
        ("", "none")
    ]


def test_homonym_known_to_ameli_only_stays_alone() -> None:
    result = run(
        [line("ROUVEL", "ANNE"), line("ROUVEL", "ANNE", street="9 QUAI DE SEINE", phone=OTHER_PHONE)],
        [activity("1", "ROUVEL", "Anne")],
    )
    assert outcome(result)[0] == ("1", "auto")
    assert outcome(result)[1][1] != "auto"


def test_same_line_twice_goes_to_the_same_activity() -> None:
    result = run(
        [line("ROUVEL", "ANNE"), line("Rouvel", "Anne", phone="01 99 00 00 01")], [activity("1", "ROUVEL", "ANNE")]
    )
    assert outcome(result) == [("1", "auto"), ("1", "auto")]


def test_two_structures_of_one_person_take_one_line_each() -> None:
    here, there = activity("1", "ROUVEL", "Anne"), activity("1", "ROUVEL", "Anne", **AWAY) | {"structure": "S2"}
    result = run(
        [line("ROUVEL", "ANNE", street="3 R VICTOR HUGO", postcode="95300", town="PONTOISE"), line("ROUVEL", "ANNE")],
        [here, there],
    )
    assert result.links["structure"].tolist() == ["S2", "S1"]
    assert result.links["decision"].tolist() == ["auto", "auto"]


def test_liberal_and_salaried_at_one_structure_count_once() -> None:
    result = run(
        [line("ROUVEL", "ANNE")],
        [activity("1", "ROUVEL", "Anne", mode="S"), activity("1", "ROUVEL", "Anne", mode="L")],
    )
    assert outcome(result) == [("1", "auto")]


def test_person_without_structure_is_never_linked() -> None:
    result = run([line("ROUVEL", "ANNE")], [activity("1", "ROUVEL", "Anne") | {"structure": ""}])
    assert outcome(result) == [("", "none")]


def test_empty_sides_and_unknown_specialty() -> None:
    assert run([], []).links.empty
    assert outcome(run([line("ROUVEL", "ANNE")], [])) == [("", "none")]
    assert run([], [activity("1", "ROUVEL", "Anne")]).links.empty
    assert outcome(run([line("ROUVEL", "ANNE", specialty="ZZ")], [activity("1", "ROUVEL", "Anne")])) == [("", "none")]


def test_hostile_values_break_nothing() -> None:
    odd = line("'; DROP TABLE ameli; --", '\x00\ufeff|"', phone="+" * 500, postcode="٣٤", street="9" * 3000, town="''")
    result = run([odd, line("ROUVEL", "ANNE")], [activity("1", "ROUVEL", "Anne"), activity("2", "\"|;'", "—")])
    assert outcome(result) == [("", "none"), ("1", "auto")]


def test_missing_column_is_named() -> None:
    ameli = pd.DataFrame([line("ROUVEL", "ANNE")]).assign(line=1).drop(columns="specialite_code")
    with pytest.raises(ValueError, match="specialite_code"):
        link(ameli, pd.DataFrame([activity("1", "ROUVEL", "Anne")]))


def _decision(result: LinkResult, at: int, rpps: str, verdict: str) -> dict[str, str]:
    return {
        "fingerprint": result.links["fingerprint"].iloc[at],
        "rpps": rpps,
        "structure": f"S{rpps}",
        "verdict": verdict,
    }


def test_refused_pair_never_comes_back() -> None:
    lines, activities = [line("ROUVEL", "ANNE")], [activity("1", "ROUVEL", "Anne")]
    before = run(lines, activities)
    after = run(lines, activities, [_decision(before, 0, "1", "refuse")])
    assert outcome(after) == [("", "none")]
    assert after.candidates.empty


def test_accepted_pair_is_linked_and_closed_to_others() -> None:
    lines = [line("ROUVEL", "ANNE"), line("ROUVEL", "AGNES", street="1 RUE X", phone="", postcode="95300")]
    activities = [activity("1", "ROUVEL", "Anne")]
    before = run(lines, activities)
    assert outcome(before)[0] == ("1", "auto")
    after = run(lines, activities, [_decision(before, 1, "1", "accept")])
    assert outcome(after) == [("", "none"), ("1", "auto")]
    assert "opérateur" in after.links["explanation"].iloc[1]


def test_decisions_survive_new_row_numbers_and_unknown_rows() -> None:
    lines, activities = [line("ROUVEL", "ANNE")], [activity("1", "ROUVEL", "Anne")]
    refusal = _decision(run(lines, activities), 0, "1", "refuse")
    gone = {"fingerprint": "f" * 32, "rpps": "9", "structure": "S9", "verdict": "accept"}
    after = run([line("AUTRE", "ZOE", phone="", street=""), *lines], activities, [refusal, gone])
    assert outcome(after) == [("", "none"), ("", "none")]


def test_order_of_rows_changes_nothing() -> None:
    lines = [line("ROUVEL", "ANNE"), line("ROUVEL", "AGNES"), line("MERCADIER", "ZOE", phone=OTHER_PHONE)]
    activities = [activity("1", "ROUVEL", "Anne"), activity("2", "ROUVEL", "Agnès"), activity("3", "ROUVEL", "Zoé")]
    forward = run(lines, activities).links.set_index("fingerprint")[["rpps", "decision", "score"]]
    backward = run(lines[::-1], activities[::-1]).links.set_index("fingerprint")[["rpps", "decision", "score"]]
    pd.testing.assert_frame_equal(forward.sort_index(), backward.sort_index())
