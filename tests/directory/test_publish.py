"""Life of the registers in the directory: first load, changes, closings, returns, new keys, interruptions."""

from typing import Any

import pytest

MARTIN = "Consultation kinésithérapie Alice MARTIN"
DURAND = "Consultation kinésithérapie Jean-Paul DURAND"


def adds_up(counts: Any) -> bool:
    total = counts.new + counts.changed + counts.unchanged + counts.reopened + counts.merged + counts.rejected
    return bool(counts.read == total)


def test_the_first_load_publishes_everything_without_history(registers: Any) -> None:
    registers.small_town()
    report = registers.publish()
    assert report.full
    assert (report.sites.new, report.practitioners.new, report.roles.new, report.offers.new) == (2, 3, 3, 4)
    assert all(adds_up(c) for c in (report.legal_entities, report.sites, report.practitioners, report.roles))
    assert registers.found() == {MARTIN, DURAND, "Médecine polyvalente", "Consultations externes"}
    assert registers.one("SELECT count(*) FROM directory.history") == 0
    assert registers.one("SELECT count(*) FROM directory.load_change") == 0
    event = registers.one("SELECT kind, load_id, position FROM core.event WHERE entity = 'load'")
    assert (event["kind"], event["load_id"], event["position"]) == ("published_full", 1, report.position)


def test_indexes_and_constraints_are_back_after_the_first_load(registers: Any) -> None:
    query = (
        "SELECT indexname AS n FROM pg_indexes WHERE schemaname = 'directory' UNION"
        " SELECT conname FROM pg_constraint c JOIN pg_namespace s ON s.oid = c.connamespace"
        " WHERE s.nspname = 'directory' ORDER BY 1"
    )
    before = registers.all(query)
    registers.small_town()
    registers.publish()
    assert registers.all(query) == before


def test_a_generated_offer_says_what_its_profession_implies(town: Any) -> None:
    offer = town.offer("10000000001")
    assert (offer["described"], offer["age_min"], offer["age_max"], offer["kind"]) == (False, 0, 150, "liberal")
    assert town.codes(offer["id"]) == {
        "J238|195", "J19|32", "J17|339", "G15|70", "R282|1", "R02|SA07", "R227|05", "AGE|enfant", "AGE|adulte",
        "KIND|liberal",
    }  # fmt: skip


def test_specialties_choose_the_type_of_offer(registers: Any) -> None:
    registers.practice("struct:4A")
    registers.establishment("780000287")
    for rpps, specialties in (("1", ["R39|C05", "R38|SM53"]), ("2", ["R38|SM38"]), ("3", [])):
        person = registers.person(rpps, "X", "Y", "10", specialties=specialties)
        registers.role(person, "struct:4A")
    registers.publish()
    kinds = [registers.codes(registers.offer(rpps)["id"]) for rpps in ("1", "2", "3")]
    assert {"J238|196", "R38|SM53", "R39|C05", "J17|437"} <= kinds[0]
    assert {"J238|221", "R38|SM38"} <= kinds[1]
    assert not any(code.startswith("J238|") for code in kinds[2])


def test_the_same_registers_again_change_nothing_and_say_nothing(town: Any) -> None:
    before = town.all("SELECT * FROM directory.offer_search ORDER BY offer_id")
    report = town.publish()
    assert not report.full
    assert not report.changed
    assert (report.sites.unchanged, report.practitioners.unchanged, report.roles.unchanged) == (2, 3, 3)
    assert report.position is None
    assert town.one("SELECT count(*) FROM core.event WHERE entity = 'load'") == 1
    assert town.all("SELECT * FROM directory.offer_search ORDER BY offer_id") == before


def test_a_change_keeps_identities_and_leaves_a_history(town: Any) -> None:
    site = town.one("SELECT id, uid FROM directory.site WHERE kind = 'practice'")
    town.practice("struct:410000000001001", phone="0199000099", commune_id=2, commune_code="78118")
    report = town.publish()
    assert (report.sites.changed, report.sites.unchanged, report.offers.new) == (1, 1, 0)
    assert town.one("SELECT id, uid FROM directory.site WHERE kind = 'practice'") == site
    assert town.one("SELECT phone FROM directory.site WHERE id = %s", site["id"]) == "0199000099"
    detail = town.one("SELECT detail FROM directory.history WHERE entity = 'site' AND action = 'changed'")
    assert detail["phone"] == ["0199000002", "0199000099"]
    assert town.all("SELECT entity, entity_id, change FROM directory.load_change") == [
        {"entity": "site", "entity_id": site["id"], "change": "changed"}
    ]
    assert (
        town.all("SELECT places FROM directory.offer_search WHERE site_id = %s", site["id"])
        == [{"places": [2, 10, 12]}] * 2
    )
    assert town.one("SELECT kind FROM core.event ORDER BY position DESC LIMIT 1") == "published"


def test_a_new_surname_renames_the_offer(town: Any) -> None:
    town.person("10000000001", "MARTIN-LEROY", "ALICE")
    town.publish()
    assert "Consultation kinésithérapie Alice MARTIN-LEROY" in town.found()
    assert town.one("SELECT count(*) FROM directory.offer_search WHERE names @@ to_tsquery('simple', 'leroy')") == 1


def test_what_leaves_is_closed_with_a_date_and_what_returns_is_reopened(town: Any) -> None:
    offer = town.offer("10000000001")
    town.conn.execute("UPDATE directory.offer SET described = true, comment = 'mot' WHERE id = %s", (offer["id"],))
    role = town.roles.pop("810000000001/struct:410000000001001/L/ORDRE")
    person = town.people.pop("810000000001")
    report = town.publish()
    assert (report.roles.closed, report.practitioners.closed, report.offers.closed) == (1, 1, 1)
    assert adds_up(report.roles)
    assert MARTIN not in town.found()
    closed = town.one("SELECT closed_on = (now() AT TIME ZONE 'Europe/Paris')::date FROM directory.role"
                      " WHERE key = %s", role["key"])  # fmt: skip
    assert closed is True
    assert town.publish().changed is False

    town.roles[role["key"]] = role
    town.people[person["key"]] = person
    report = town.publish()
    assert (report.roles.reopened, report.practitioners.reopened, report.offers.reopened) == (1, 1, 1)
    back = town.offer("10000000001")
    assert (back["id"], back["uid"], back["comment"], back["closed_on"]) == (offer["id"], offer["uid"], "mot", None)
    assert MARTIN in town.found()
    actions = town.all("SELECT action FROM directory.history WHERE entity = 'role' ORDER BY id")
    assert [a["action"] for a in actions] == ["closed", "reopened"]


def test_a_site_that_closes_hides_its_offers_until_it_returns(town: Any) -> None:
    hospital = town.sites["finess:780000287"]
    hospital["closed_on"] = "2026-01-31"
    town.publish()
    assert town.found() == {MARTIN, DURAND}
    assert str(town.one("SELECT closed_on FROM directory.site WHERE finess = '780000287'")) == "2026-01-31"
    change = town.one("SELECT change FROM directory.load_change WHERE entity = 'site'")
    assert change == "closed"
    del hospital["closed_on"]
    report = town.publish()
    assert (report.sites.reopened, report.offers.reopened) == (1, 2)
    assert len(town.found()) == 4


def test_a_closing_date_in_the_future_does_not_close(town: Any) -> None:
    town.sites["finess:780000287"]["closed_on"] = "2199-01-01"
    town.publish()
    assert len(town.found()) == 4


def test_a_new_structure_number_keeps_site_role_and_what_people_wrote(town: Any) -> None:
    offer = town.offer("10000000001")
    site = town.one("SELECT id FROM directory.site WHERE kind = 'practice'")
    town.conn.execute("UPDATE directory.offer SET described = true, comment = 'mot' WHERE id = %s", (offer["id"],))
    town.sites.clear()
    town.roles.clear()
    town.establishment("780000287", legal_key="finess:780110078", siret="26780028700019")
    town.practice("struct:499999999999999", old_keys=["struct:410000000001001"])
    for person in ("810000000001", "810000000002"):
        town.role(person, "struct:499999999999999")
    town.role("810000000003", "finess:780000287", "S", specialties=["R38|SM04"])
    report = town.publish()
    assert report.reattached == 3
    assert (report.sites.new, report.sites.closed, report.roles.new, report.roles.closed) == (0, 0, 0, 0)
    assert (report.sites.changed, report.roles.changed) == (1, 2)
    back = town.offer("10000000001")
    assert (back["id"], back["comment"], back["site_id"]) == (offer["id"], "mot", site)
    aliases = {a["value"] for a in town.all("SELECT value FROM directory.alias WHERE entity = 'site'")}
    assert "struct:410000000001001" in aliases
    assert not town.publish().changed


def test_an_adeli_number_that_becomes_an_rpps_number_is_the_same_person(registers: Any) -> None:
    registers.practice("struct:4A")
    registers.people["0789012345"] = {
        "key": "0789012345", "adeli": "789012345", "last_name": "ROY", "first_name": "LEA", "profession": "91",
    }  # fmt: skip
    registers.role("0789012345", "struct:4A")
    registers.publish({"rpps"})
    uid = registers.one("SELECT uid FROM directory.offer")
    registers.people.clear()
    registers.roles.clear()
    registers.role(registers.person("10000000009", "ROY", "LEA", "91", adeli="789012345"), "struct:4A")
    report = registers.publish({"rpps"})
    assert report.reattached == 2
    assert registers.all("SELECT uid FROM directory.offer") == [{"uid": uid}]


@pytest.mark.parametrize("practice", [{"siret": "26780028700019"}, {"finess": "780000287"}])
def test_a_place_known_by_finess_and_rpps_is_one(town: Any, practice: dict[str, str]) -> None:
    key = town.practice("siret:26780028700019", name="CH MANTES", **practice)
    town.role(town.person("10000000004", "NOEL", "EVE", "50"), key)
    report = town.publish()
    assert (report.sites.merged, report.sites.new) == (1, 0)
    assert adds_up(report.sites)
    assert town.offer("10000000004")["site_id"] == town.one("SELECT id FROM directory.site WHERE finess = '780000287'")
    assert not town.publish().changed


def test_a_practice_that_finess_learns_of_later_keeps_its_identity(town: Any) -> None:
    key = town.practice("siret:26780028700099", siret="26780028700099")
    town.role(town.person("10000000004", "NOEL", "EVE", "50"), key)
    town.publish()
    before = town.offer("10000000004")
    town.establishment("780009999", "603", siret="26780028700099")
    report = town.publish()
    assert report.reattached == 1
    after = town.offer("10000000004")
    assert (after["id"], after["site_id"]) == (before["id"], before["site_id"])
    site = town.one("SELECT kind, finess FROM directory.site WHERE id = %s", after["site_id"])
    assert site == {"kind": "establishment", "finess": "780009999"}


def test_a_siret_shared_by_two_establishments_merges_nothing(town: Any) -> None:
    town.establishment("780000295", siret="26780028700019")
    town.practice("siret:26780028700019", siret="26780028700019")
    report = town.publish()
    assert (report.sites.merged, report.sites.new) == (0, 2)


def test_a_register_that_was_not_given_keeps_its_rows(town: Any) -> None:
    hospital = town.sites.pop("finess:780000287")
    legal = town.legal.copy()
    town.legal.clear()
    report = town.publish({"rpps"})
    assert report.sites.closed == 0
    assert len(town.found()) == 4
    town.sites = {hospital["key"]: hospital}
    town.legal = legal
    town.people.clear()
    town.roles.clear()
    report = town.publish({"finess"})
    assert (report.sites.closed, report.practitioners.closed, report.roles.closed) == (0, 0, 0)
    assert len(town.found()) == 4


def test_without_ameli_conventions_stay(town: Any) -> None:
    for role in town.roles.values():
        role["convention"] = None
        role["sector"] = "SA08"
    town.publish({"rpps", "finess"})
    assert {r["convention"] for r in town.all("SELECT convention FROM directory.role")} == {"1"}
    for role in town.roles.values():
        role["convention"] = "3"
    town.publish()
    assert {r["convention"] for r in town.all("SELECT convention FROM directory.role")} == {"3"}


def test_ameli_alone_makes_and_closes_nothing(town: Any) -> None:
    town.sites.clear()
    town.people.clear()
    town.legal.clear()
    only = town.roles["810000000001/struct:410000000001001/L/ORDRE"] | {"convention": "2"}
    town.roles = {only["key"]: only}
    report = town.publish({"ameli"})
    assert (report.roles.changed, report.roles.closed, report.practitioners.closed) == (1, 0, 0)
    assert "R282|2" in town.codes(town.offer("10000000001")["id"])


def test_a_role_without_person_is_rejected_and_counted(town: Any) -> None:
    town.roles["8999/x"] = {"key": "8999/x", "practitioner_key": "8999", "profession": "60", "mode": "L"}
    report = town.publish()
    assert report.roles.rejected == 1
    assert adds_up(report.roles)


def test_without_nomenclatures_the_starter_is_loaded(registers: Any) -> None:
    registers.conn.execute("TRUNCATE directory.concept, directory.nomenclature CASCADE")
    registers.small_town()
    registers.publish()
    assert "J238|195" in registers.codes(registers.offer("10000000001")["id"])


def test_roles_nowhere_salaried_or_military_have_no_offer(registers: Any) -> None:
    registers.small_town()
    for rpps, site, mode, more in (
        ("21", None, "L", {}),
        ("22", "struct:410000000001001", "S", {}),
        ("23", "struct:410000000001001", "L", {"category": "M"}),
    ):
        registers.role(registers.person(rpps, "X", "Y"), site, mode, **more)
    assert registers.publish().offers.new == 4


def test_an_establishment_changes_its_category(town: Any) -> None:
    town.sites["finess:780000287"]["category"] = "620"
    report = town.publish()
    assert (report.offers.new, report.offers.closed) == (1, 2)
    assert town.found() == {MARTIN, DURAND, "Pharmacie d’officine"}


@pytest.mark.parametrize("category", [None, "214", "999"])
def test_any_establishment_has_an_offer(registers: Any, category: str | None) -> None:
    registers.establishment("780000287", category)
    registers.person("1", "X", "Y")
    registers.publish()
    assert len(registers.found()) == 1
