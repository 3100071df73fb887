"""Parts that sheets share: names, addresses, contacts, register sources."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from directory.concepts import ConceptIndex
from directory.labels import (
    AMELI_CORRECTION,
    FEE_OPTIONS,
    FINESS_CORRECTION,
    LANGUAGES,
    MODES,
    POSITION_LEVELS,
    PURPOSES,
    TITLES,
    ContactForm,
    contact_href,
    french_date,
    patients,
    person_name,
    phone_text,
    rpps_correction,
)
from directory.models import Practitioner, Role, Site
from directory.models_offer import ContactPoint, Offer
from directory.schemas import (
    Contact,
    Identifier,
    OfferSummary,
    PlaceRef,
    Position,
    PostalAddress,
    PractitionerRef,
    RegisterField,
    RegisterSource,
)


def practitioner_ref(practitioner: Practitioner, role: Role | None, index: ConceptIndex) -> PractitionerRef:
    """Return a practitioner as sheets name them; specialties are those of the role, then of the person."""
    profession = (role.profession if role else None) or practitioner.profession
    refs = dict.fromkeys([*(role.specialties if role else []), *practitioner.specialties])
    return PractitionerRef(
        uid=practitioner.uid,
        name=person_name(practitioner.first_name, practitioner.last_name),
        title=TITLES.get(practitioner.title or "", practitioner.title),
        profession=index.ref(f"G15|{profession}" if profession else None),
        specialties=[found for ref in refs if (found := index.ref(ref))],
        rpps=practitioner.rpps,
    )


def postal_address(site: Site, row: Any) -> PostalAddress:
    """Return the address of a site; `row` carries the town and département (see `queries_sheets.site`)."""
    commune = departement = None
    if row.commune_ref is not None:
        kind = "commune" if row.commune_kind == "arrondissement" else row.commune_kind
        commune = PlaceRef(ref=f"{kind}:{row.commune_ref}", name=row.commune_name, postal_code=site.postal_code)
    if row.departement_code is not None:
        departement = PlaceRef(ref=f"departement:{row.departement_code}", name=row.departement_name)
    town = " ".join(filter(None, (site.postal_code, site.town or row.commune_name)))
    lines = [line for line in (site.complement, site.street, town) if line]
    return PostalAddress(
        lines=lines,
        complement=site.complement,
        street=site.street,
        postal_code=site.postal_code,
        town=site.town,
        commune=commune,
        departement=departement,
    )


def position(site: Site, row: Any) -> Position | None:
    """Return where a site is and how well that is known; None when nothing is known."""
    if row.lat is None or row.lon is None:
        return None
    level = "pin" if row.pinned else site.position_level
    return Position(
        lat=row.lat,
        lon=row.lon,
        exact=level in ("pin", "number", "street", "place"),
        level=level,
        source="professionnel" if row.pinned else site.position_source,
        score=None if row.pinned else site.position_score,
        label=POSITION_LEVELS.get(level, "Position connue"),
    )


def written_contacts(points: Iterable[ContactPoint]) -> list[Contact]:
    """Return contacts given by the professional, in the order of the guide."""
    found = []
    for point in points:
        purpose = PURPOSES.get(point.purpose)
        if purpose is None:
            continue
        found.append(
            Contact(
                purpose=point.purpose,
                label=purpose.label,
                channel=purpose.form,
                value=phone_text(point.value) if purpose.form in ("phone", "fax") else point.value,
                href=contact_href(purpose.form, point.value),
                confidentiality=point.confidentiality,
                source="professionnel",
            )
        )
    rank = {name: i for i, name in enumerate(PURPOSES)}
    return sorted(found, key=lambda c: rank[c.purpose])


def register_contacts(site: Site, role: Role | None = None) -> list[Contact]:
    """Return the contacts that registers publish, each number once; registers are public."""
    source = "FINESS" if site.kind == "establishment" else "RPPS"
    found = [
        *_register_contact("phone", "Téléphone", site.phone, source),
        *_register_contact("phone", "Téléphone 2", site.phone2, source),
        *insurance_contacts(role),
        *_register_contact("fax", "Télécopie", site.fax, source),
        *_register_contact("email", "Adresse électronique", site.email, source),
    ]
    once: dict[str, Contact] = {}
    for contact in found:
        once.setdefault(contact.value, contact)
    return list(once.values())


def insurance_contacts(role: Role | None) -> list[Contact]:
    """Return the telephone that the health insurance publishes of a role; public, as registers are."""
    return _register_contact("phone", "Téléphone (Assurance Maladie)", role.ameli_phone if role else None, "AMELI")


def _register_contact(form: ContactForm, label: str, value: str | None, source: str) -> list[Contact]:
    if not value:
        return []
    return [
        Contact(
            purpose="register",
            label=label,
            channel=form,
            value=value if form == "email" else phone_text(value),
            href=contact_href(form, value),
            confidentiality=1,
            source=source,
        )
    ]


def _fields(*pairs: tuple[str, str | None]) -> list[RegisterField]:
    return [RegisterField(label=label, value=value) for label, value in pairs if value]


def site_register(site: Site, address: PostalAddress, index: ConceptIndex, legal_entity: str | None) -> RegisterSource:
    """Return what FINESS, or the RPPS for a practice, says of a site."""
    finess = site.kind == "establishment"
    category = index.ref(f"R66|{site.category}" if site.category else None)
    sector = index.ref(f"R02|{site.sector}" if site.sector else None)
    return RegisterSource(
        register_name="FINESS" if finess else "RPPS",
        fields=_fields(
            ("Raison sociale", site.long_name or site.name),
            ("Catégorie", category.label if category else None),
            ("Secteur d’activité", sector.label if sector else None),
            ("Entité juridique", legal_entity),
            ("Adresse", ", ".join(address.lines)),
            ("Ouvert le", french_date(site.opened_on) if site.opened_on else None),
        ),
        updated_at=site.updated_at,
        correction=FINESS_CORRECTION
        if finess
        else "Une information est incorrecte ? La correction se demande à l’Ordre de chaque professionnel.",
    )


def role_registers(
    role: Role, practitioner: Practitioner, address: PostalAddress, index: ConceptIndex
) -> list[RegisterSource]:
    """Return what the RPPS and AMELI say of a practitioner at a site."""
    person = practitioner_ref(practitioner, role, index)
    sources = [
        RegisterSource(
            register_name="RPPS",
            fields=_fields(
                ("Numéro RPPS", practitioner.rpps),
                ("Nom", (practitioner.last_name or "").upper()),
                ("Prénom", (practitioner.first_name or "").title()),
                ("Profession", person.profession.label if person.profession else None),
                ("Savoir-faire", ", ".join(s.label for s in person.specialties)),
                ("Mode d’exercice", MODES.get(role.mode or "", role.mode)),
                ("Adresse", ", ".join(address.lines)),
            ),
            updated_at=max(role.updated_at, practitioner.updated_at),
            correction=rpps_correction(role.profession),
        )
    ]
    convention = index.ref(f"R282|{role.convention}" if role.convention else None)
    vitale = {True: "Accepte la carte Vitale", False: "N’accepte pas la carte Vitale"}.get(role.carte_vitale)  # type: ignore[arg-type]
    ameli = _fields(
        ("Conventionnement", convention.label if convention else None),
        ("Option tarifaire", FEE_OPTIONS.get(role.fee_option or "")),
        ("Carte Vitale", vitale),
        ("Téléphone", phone_text(role.ameli_phone) if role.ameli_phone else None),
    )
    if ameli:
        sources.append(
            RegisterSource(register_name="AMELI", fields=ameli, updated_at=role.updated_at, correction=AMELI_CORRECTION)
        )
    return sources


def site_identifiers(site: Site) -> list[Identifier]:
    """Return the numbers of a site."""
    pairs = (("FINESS", site.finess), ("SIRET", site.siret))
    return [Identifier(system=system, value=value) for system, value in pairs if value]


def accepting(offer: Offer, today: date) -> tuple[bool | None, date | None]:
    """Return whether an offer takes new patients, and from which day on when that day is still to come.

    Once the day has passed it accepts, as in the search (`directory.projection`), whatever was said before.
    """
    since = offer.accepts_new_on
    if offer.accepts_new or (since is not None and since <= today):
        return True, None
    return offer.accepts_new, since


def summary(
    offer: Offer,
    role: Role | None,
    practitioner: Practitioner | None,
    index: ConceptIndex,
    *,
    visits: bool,
    open_now: bool | None,
    today: date,
) -> OfferSummary:
    """Return an offer in a line of a sheet."""
    convention = index.ref(f"R282|{role.convention}" if role and role.convention else None)
    return OfferSummary(
        uid=offer.uid,
        name=offer.name,
        practitioner=practitioner_ref(practitioner, role, index) if practitioner else None,
        type=index.one(offer.type_id),
        mode=index.one(offer.mode_id),
        activities=index.out(offer.activities),
        kind=offer.kind,
        patients=patients(offer.age_min, offer.age_max),
        convention=convention.label if convention else None,
        carte_vitale=role.carte_vitale if role else None,
        accepts_new=accepting(offer, today)[0],
        visits=visits,
        open_now=open_now,
        described=offer.described,
        updated_at=offer.updated_at,
    )


def language_names(codes: Iterable[str]) -> list[str]:
    """Return the French names of languages, in alphabetical order."""
    return sorted(LANGUAGES.get(code, code) for code in codes)
