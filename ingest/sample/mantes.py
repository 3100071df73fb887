"""The Mantes fixture: a small, fixed directory around Mantes-la-Jolie, whose answers can be counted by hand.

`write_mantes(folder)` writes it as register files. Nothing in it is drawn: the tables `data/mantes/*.tsv` and the
rules below say everything.

**Towns.** Thirteen with practices (`independent.tsv` has one column for each), and others for one case each. In
every town the streets are 0 "Rue de la République", 1 "Avenue du Général de Gaulle" and 2 "Rue de l'Église";
number n of street k stands at lon + 0.0001·n, lat + 0.001·k from the town's point, so that distances can be worked
out on paper. BAN has them all, but for the street 2 of Bonnières-sur-Seine (its addresses are found to the commune)
and number 3 of street 0 of Épône (found to the street).

**Practices.** The roles of a town are taken in the order of the table and two of the same line share a practice:
practice p of a town (from 0) is at street p mod 3, number 1 + 2·(p div 3). Two people of a practice share one SIRET
(one site); somebody alone has the structure 4 + RPPS + "01" (a site of its own). So a line with n roles makes
ceil(n / 2) sites.

**Counts.** 242 independent roles in the table: 50 general practitioners, 48 physiotherapists, 46 nurses, 26 dentists,
10 midwives, 16 speech therapists, 9 podiatrists, 2 orthoptists, 7 ophthalmologists, 8 cardiologists, 4
dermatologists, 6 paediatricians, 5 psychiatrists, 5 gynaecologists; in Mantes-la-Jolie 47 of them: 8, 9, 8, 5, 2, 3,
2, 1, 2, 2, 1, 2, 1, 1. They make 152 sites, 27 of them in Mantes-la-Jolie (4 of general practitioners, 5 of
physiotherapists, 4 of nurses, 3 of dentists, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1). 35 roles at FINESS sites (`staff` of
`sites.tsv`) and 15 roles added by the cases below: 292 in all, of 289 people; 3 more people
have none (296 lines).
29 FINESS sites of 26 legal entities, one of the sites closed (in the JSON only); 26 of the 28 others are located, one
of them only at the town's point. RPPS knows 176 structures, 11 of them FINESS sites and one a FINESS number that FINESS
does not know.

**Cases of RPPS** (person k of a group in a town is written group/town/k, from 1):
 1. mg/78361/1 also works in Limay, republic street 29 (two roles, the second in 4 + RPPS + "02").
 2. mg/78361/2 has a second skill, CAPA06 Gérontologie (two lines, one role).
 3. The general practitioners have SM26, SM53 and SM54 in turn.
 4. mk/78361/1: quotes in the complement and in the name of the practice.
 5. cardio/78361/1: CEDEX postal code 78201 and "78201 MANTES LA JOLIE CEDEX" as office.
 6. An ophthalmologist of Paris (commune 75112, office "75012 PARIS"), a physiotherapist of Marseille (13215).
 7. ide/78362/1: no commune code; postal code and "Mantes La Ville " only.
 8. A nurse at Port-Villez, under the former commune 78503 (now Notre-Dame-de-la-Mer).
 9. A nurse at Saint-Martin-la-Garenne, "ST MARTIN LA GARENNE" in AMELI.
10. A gynaecologist of Versailles under the CEDEX 78009, without commune label.
11. A military anaesthetist at the hospital; a student, a retired doctor and a retired nurse without structure.
12. An audiologist with an ADELI identifier (type 0), in a shop of Mantes-la-Jolie; an optician beside.
13. A salaried nurse at a FINESS number that FINESS does not know (780999996).
14. mg/78362/1: a former structure identifier, a fax and an e-mail.
15. A locum nurse (GENR02) in Limay; a general practitioner in Saint-Barthélemy (commune 97123, postal code 97133).
16. cardio/78401/1 also works salaried at the clinic of Meulan (L and S).
17. A nurse of Mantes-la-Jolie has two independent roles in one town (case "two places", two sites).

**Cases of AMELI.** All independent roles of the professions that AMELI lists, but for the last mk and the last ide of
Vernon, and two lines of people whom RPPS does not know: 252 lines, 250 linked (`truth.csv`).
 a. Homonyms: mk/78498/1 and mk/78498/3 are both DUPIN Claire. b. Relatives: cd/78440/1 and 2 are both LAURIER.
 c. Changed name: ide/78335/1 is BRUYÈRE in RPPS, GENET in AMELI. d. Moved: mk/78354/1 is in Buchelay in AMELI.
 e. mg/78217/1 SORBIER-TILLEUL is TILLEUL. f. ide/78361/1 and 2 have "78200 " and "78 200" as postal codes,
 cardio/78361/1 "78201" and "MANTES LA JOLIE CEDEX". g. One of the unknown people is a namesake of mk/78361/2, in
 Rosny-sur-Seine. h. Specialities 22 and 23 for mg/78361/1 and 2, 01 for the others.
 Sectors: 1, but 2 for mg/78361/1, 0 for ide/78498/1, and 3 for the specialists of odd rank in a town (OPTAM).
"""

from dataclasses import dataclass, replace
from functools import cache

from ingest.sample.codes import GROUPS
from ingest.sample.identifiers import luhn_key, spaced
from ingest.sample.tables import rows, words

STREETS = (
    ("R", "Rue", "de la République"),
    ("AV", "Avenue", "du Général de Gaulle"),
    ("R", "Rue", "de l'Église"),
)
_SURNAMES, _WOMEN, _MEN = words("mantes_surnames"), words("mantes_women"), words("mantes_men")
_GENERAL = ("SM26", "SM54", "SM53")
ANAESTHESIA, EMERGENCY, GERIATRICS = "SM02", "SM59", "SM18"


@dataclass(frozen=True, slots=True)
class Town:
    """A town of the fixture."""

    code: str
    name: str
    postal_code: str
    lon: float
    lat: float

    def position(self, street: int, number: int) -> tuple[float, float]:
        """Return lon and lat of a number of a street."""
        return round(self.lon + 0.0001 * number, 6), round(self.lat + 0.001 * street, 6)


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the fixture."""

    index: int
    key: str
    group: str
    profession: str
    speciality: str
    woman: bool
    surname: str
    first_name: str
    category: str = "C"
    adeli: str = ""

    @property
    def identifier(self) -> str:
        """RPPS number (11 digits) or ADELI number."""
        digits = f"108{self.index:07d}"
        return self.adeli or f"{digits}{luhn_key(digits)}"

    @property
    def national(self) -> str:
        """Type (8 RPPS, 0 ADELI) and number."""
        return ("0" if self.adeli else "8") + self.identifier


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the fixture: a person at a place."""

    member: Member
    structure: str
    town: Town
    street: int
    number: int
    practice: int
    independent: bool = True
    siret: str = ""
    finess: str = ""
    entity: str = ""
    name: str = ""
    shop: bool = False

    @property
    def key(self) -> str:
        """The case's name, as mk/78361/1."""
        return self.member.key

    @property
    def phone(self) -> str:
        """One number per practice, from the ranges kept for fiction."""
        start = "026191" if self.town.code.startswith("27") else "019900"
        return f"{start}{self.practice:04d}"


@dataclass(frozen=True, slots=True)
class Site:
    """A FINESS site of the fixture."""

    finess: str
    entity: str
    name: str
    category: str
    town: Town
    street: int
    number: int
    precision: int
    closed: str
    staff: tuple[str, ...]


@cache
def towns() -> dict[str, Town]:
    """Return the towns by INSEE code."""
    return {
        row["code"]: Town(row["code"], row["name"], row["postal_code"], float(row["lon"]), float(row["lat"]))
        for row in rows("mantes/towns.tsv")
    }


@cache
def sites() -> tuple[Site, ...]:
    """Return the FINESS sites, closed one included."""
    known = towns()
    return tuple(
        Site(
            row["finess"], row["entity"], row["name"], row["category"], known[row["town"]], int(row["street"]),
            int(row["number"]), int(row["precision"]), row["closed"] or "", tuple((row["staff"] or "").split()),
        )
        for row in rows("mantes/sites.tsv")
    )  # fmt: skip


class Cast:
    """Everybody, in the order of the tables, with the names of the cases given."""

    def __init__(self) -> None:
        self.towns = towns()
        self.roles: list[Role] = []
        self.idle: list[Member] = []
        self._people = self._practices = 0
        self._independent()
        self._staff()
        self._cases()

    def role(self, key: str) -> Role:
        """Return the first role of this name."""
        return next(role for role in self.roles if role.key == key)

    def _member(self, key: str, group: str, profession: str, speciality: str = "") -> Member:
        index = self._people
        self._people += 1
        woman = index % 2 == 0
        first_name = _WOMEN[index // 2 % len(_WOMEN)] if woman else _MEN[index // 2 % len(_MEN)]
        # The turn of the list is added to keep every whole name single.
        surname = _SURNAMES[(index + index // len(_SURNAMES)) % len(_SURNAMES)]
        member = Member(index, key, group, profession, speciality, woman, surname, first_name)
        names = {
            "mk/78498/1": ("DUPIN", "Claire", True),
            "mk/78498/3": ("DUPIN", "Claire", True),
            "cd/78440/1": ("LAURIER", first_name, woman),
            "cd/78440/2": ("LAURIER", first_name, woman),
            "ide/78335/1": ("BRUYÈRE", first_name, woman),
            "mg/78217/1": ("SORBIER-TILLEUL", first_name, woman),
        }
        if key in names:
            surname, first_name, woman = names[key]
            member = replace(member, surname=surname, first_name=first_name, woman=woman)
        return member

    def _practice(self) -> int:
        self._practices += 1
        return self._practices - 1

    def _independent(self) -> None:
        table = rows("mantes/independent.tsv")
        for code in [column for column in table[0] if column in self.towns]:
            rank = 0
            for line in table:
                for k in range(1, int(line[code]) + 1):
                    if k % 2:
                        practice, place = self._practice(), rank
                        rank += 1
                    speciality = line["speciality"]
                    if line["group"] == "mg":
                        speciality = _GENERAL[(k - 1) % 3]
                    member = self._member(f"{line['group']}/{code}/{k}", line["group"], line["profession"], speciality)
                    alone = k % 2 == 1 and k == int(line[code])
                    siret = "" if alone else siret_of(practice)
                    structure = f"4{member.identifier}01" if alone else f"3{siret}"
                    self.roles.append(
                        Role(
                            member, structure, self.towns[code], place % 3, 1 + 2 * (place // 3), practice, True, siret
                        )
                    )

    def _staff(self) -> None:
        professions = {group.key: group.code for group in GROUPS}
        for site in sites():
            for place in site.staff:
                what, how = place.split(":")
                group, speciality = ("mg", what) if what.startswith("SM") else (what, "")
                for k in range(1, int(how[1:]) + 1):
                    member = self._member(f"{site.finess}/{what}/{how[0]}{k}", group, professions[group], speciality)
                    self._at(site, member, independent=how[0] == "L")

    def _at(self, site: Site, member: Member, *, independent: bool) -> None:
        self.roles.append(
            Role(
                member, f"1{site.finess}", site.town, site.street, site.number, 9000 + int(site.finess[5:8]),
                independent, "", site.finess, site.entity, site.name,
            )
        )  # fmt: skip

    def _single(
        self, key: str, group: str, profession: str, town: str, street: int, number: int, speciality: str = ""
    ) -> Role:
        """Add somebody alone at an address of its own."""
        member = self._member(key, group, profession, speciality)
        role = Role(member, f"4{member.identifier}01", self.towns[town], street, number, self._practice())
        self.roles.append(role)
        return role

    def _again(self, key: str, town: str, street: int, number: int) -> None:
        """Give somebody a second independent role."""
        member = self.role(key).member
        self.roles.append(Role(member, f"4{member.identifier}02", self.towns[town], street, number, self._practice()))

    def _cases(self) -> None:
        known = {site.finess: site for site in sites()}
        self._again("mg/78361/1", "78335", 0, 29)
        self._single("ophtalmo/75112/1", "ophtalmo", "10", "75112", 0, 5, "SM38")
        self._single("mk/13215/1", "mk", "70", "13215", 0, 5)
        self._single("ide/78320/1", "ide", "60", "78320", 0, 5)
        self._single("ide/78567/1", "ide", "60", "78567", 0, 5)
        self._single("gyneco/78646/1", "gyneco", "10", "78646", 0, 5, "SM20")
        self._single("ide/locum/1", "ide", "60", "78335", 1, 29)
        self._single("mg/97701/1", "mg", "10", "97701", 0, 5, "SM54")
        self._single("ide/two-places/1", "ide", "60", "78361", 1, 19)
        self._again("ide/two-places/1", "78361", 2, 19)
        military = self._member("military/1", "spe", "10", ANAESTHESIA)
        self._at(known["780900010"], replace(military, category="M"), independent=False)
        self._at(known["780900028"], self.role("cardio/78401/1").member, independent=False)
        ghost = replace(known["780900010"], finess="780999996", entity="", name="HOPITAL INCONNU DE FINESS")
        self._at(ghost, self._member("unknown-finess/1", "ide", "60"), independent=False)
        audio = replace(self._member("audio/78361/1", "audio", "26"), adeli="782690001")
        optician = self._member("opticien/78361/1", "opticien", "28")
        for member, number, name in ((audio, 31, "AUDITION DU MANTOIS"), (optician, 33, "OPTIQUE DU MANTOIS")):
            practice = self._practice()
            siret = siret_of(practice)
            self.roles.append(
                Role(
                    member, f"3{siret}", self.towns["78361"], 0, number, practice, True, siret, name=name, shop=True
                )
            )  # fmt: skip
        self.idle = [
            replace(self._member("student/1", "mg", "10"), category="E"),
            self._member("retired/1", "mg", "10", "SM26"),
            self._member("retired/2", "ide", "60"),
        ]


def siret_of(practice: int) -> str:
    """Return the SIRET of a practice: 0098 and its number, with the right keys."""
    siren = f"0098{practice:04d}"
    digits = f"{siren}{luhn_key(siren)}0001"
    return f"{digits}{luhn_key(digits)}"


def rpps_phone(role: Role) -> str:
    """Return the phone as RPPS writes it: none for every fifth practice, with spaces for the even ones."""
    if role.practice % 5 == 4:
        return ""
    return role.phone if role.practice % 2 else spaced(role.phone)
