"""Weak pairs of the linkage, judged by the rest of the file: moves, namesakes, strangers, second places."""

from typing import Any

import pytest

from ingest.linkage import LinkResult
from tests.ingest.test_linkage import AWAY, activity, line, outcome, run

SYLLABLES = ("BA", "CHE", "DI", "FO", "GU", "LAN", "MER", "NIS", "POL", "TUR")
LIMAY = {"coordonnees_voie": "7 QUAI DE SEINE", "coordonnees_ville": "LIMAY", "coordonnees_code_postal": "78520"}


def _crowd(size: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Many nurses, each at an own address without phone, whose lines agree with their activities."""
    lines, activities = [], []
    for i in range(size):
        # Each syllable twice, so that no name is another one misspelt.
        surname = "".join(SYLLABLES[int(digit)] * 2 for digit in f"{i:04d}")
        lines.append(line(surname, "ANNE", phone="", street=f"{i + 1} RUE DES LILAS"))
        activities.append(activity(str(i), surname, "Anne", number=str(i + 1), phone=""))
    return lines, activities


def _small_town(lines: list[dict[str, Any]], activities: list[dict[str, Any]], count: int) -> None:
    """Bring the first people to a town where few work, so that the town says something, and lines to a new street."""
    for i in range(count):
        activities[i] |= {"postal_code": "78711", "commune_label": "Mantes-la-Ville"}
        lines[i] |= {"coordonnees_code_postal": "78711", "coordonnees_ville": "MANTES LA VILLE"}
        lines[i] |= {"coordonnees_voie": "7 QUAI DE SEINE"}


def _decided(result: LinkResult, start: int, stop: int) -> set[str]:
    return set(result.links["decision"].iloc[start:stop])


def test_moves_are_linked_when_the_file_shows_that_such_links_are_right() -> None:
    lines, activities = _crowd(1200)
    result = run([one | LIMAY for one in lines[:60]] + lines[60:], activities)
    assert outcome(result) == [(str(i), "auto") for i in range(1200)]


def test_a_namesake_in_the_register_leaves_a_move_for_review() -> None:
    lines, activities = _crowd(1200)
    twin = activity("twin", activities[0]["last_name"], "Anne", number="3", way="VICTOR HUGO", phone="")
    result = run([one | LIMAY for one in lines[:60]] + lines[60:], [*activities, twin])
    assert _decided(result, 0, 1) == {"review"}
    assert _decided(result, 1, 1200) == {"auto"}


def test_two_lines_that_may_be_one_person_moved_are_both_for_review() -> None:
    lines, activities = _crowd(1200)
    _small_town(lines, activities, 60)
    result = run([*lines, lines[0] | LIMAY], activities)
    assert _decided(result, 0, 1) == {"review"}
    assert _decided(result, 1, 1200) == {"auto"}
    assert "auto" not in _decided(result, 1200, 1201)


def test_the_old_name_does_not_go_to_a_stranger_when_a_new_one_is_at_the_address() -> None:
    lines, activities = _crowd(1200)
    renamed = lines[0] | {"ps_activite_nom": "MERCADIER"}
    moved = [one | LIMAY for one in lines[:60]]
    result = run([*moved, *lines[60:], renamed], activities)
    assert "auto" not in _decided(result, 0, 1)
    assert _decided(result, 1, 1200) == {"auto"}


def test_a_namesake_does_not_get_the_second_place_of_somebody_linked() -> None:
    lines, activities = _crowd(1200)
    elsewhere = [one | AWAY | {"structure": f"T{one['rpps']}", "postal_code": "78520"} for one in activities[:60]]
    lost = [one | LIMAY for one in lines[:110]]
    result = run([*lines, *lost], [*activities, *elsewhere])
    assert _decided(result, 0, 1200) == {"auto"}
    assert _decided(result, 1200, 1260) == {"review"}
    assert "auto" not in _decided(result, 1260, 1310)


def test_which_of_two_free_places_a_line_left_is_for_review() -> None:
    lines, activities = _crowd(1200)
    _small_town(lines, activities, 60)
    elsewhere = [one | AWAY | {"structure": f"T{one['rpps']}", "postal_code": "78520"} for one in activities[:30]]
    result = run(lines, [*activities, *elsewhere])
    assert _decided(result, 0, 30) == {"review"}
    assert _decided(result, 30, 1200) == {"auto"}


def test_moves_are_for_review_when_the_file_is_full_of_namesakes() -> None:
    lines, activities = _crowd(1200)
    namesakes = [one | LIMAY for one in lines[100:160]]
    result = run([one | LIMAY for one in lines[:20]] + lines[20:1100] + namesakes, activities)
    assert _decided(result, 0, 20) == {"review"}
    assert _decided(result, 20, 1100) == {"auto"}
    assert _decided(result, 1100, 1160) == {"none"}


@pytest.mark.parametrize(("strangers", "decision"), [(0, "auto"), (40, "review")])
def test_strangers_are_told_by_the_names_of_people_who_cannot_be_meant(strangers: int, decision: str) -> None:
    lines, activities = _crowd(2400)
    hospital = [one | {"mode": "S", "structure": "H", "way": "DU BAC"} for one in activities[1200:]]
    other_practices = [one | LIMAY for one in lines[100:117]]
    of_salaried = [one | LIMAY for one in lines[1200 : 1200 + strangers]]
    moved = [one | LIMAY for one in lines[:60]]
    result = run([*moved, *lines[60:1140], *other_practices, *of_salaried], [*activities[:1200], *hospital])
    assert _decided(result, 0, 60) == {decision}
    assert _decided(result, 60, 1140) == {"auto"}
    assert "auto" not in _decided(result, 1140, 1157 + strangers)


def test_a_name_misspelt_after_a_move_is_found() -> None:
    lines, activities = _crowd(50)
    slip = lines[0]["ps_activite_nom"]
    lines[0] |= {"ps_activite_nom": slip[:5] + slip[6] + slip[5] + slip[7:]} | LIMAY
    result = run(lines, activities)
    assert result.links["rpps"].iloc[0] == "0"
    assert result.links["decision"].iloc[0] in ("auto", "review")
