"""What is shown of an ad."""

from datetime import date

import pytest

from core.db import unit_of_work
from modules.ads.views import period_text, view
from tests.modules.ads.makers import make_ad, make_person


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2026, 5, 10), None, "À partir du 10\u00a0mai 2026"),
        (date(2026, 7, 1), date(2026, 7, 31), "Du 1er au 31\u00a0juillet 2026"),
        (date(2026, 6, 1), date(2026, 9, 30), "Du 1er\u00a0juin au 30\u00a0septembre 2026"),
        (date(2026, 12, 20), date(2027, 1, 3), "Du 20\u00a0décembre 2026 au 3\u00a0janvier 2027"),
        (date(2026, 5, 10), date(2026, 5, 10), "Le 10\u00a0mai 2026"),
    ],
)
def test_periods_read_as_people_say_them(start: date, end: date | None, said: str) -> None:
    assert period_text(start, end) == said


async def test_an_ad_is_shown_with_its_labels_and_its_contacts(places: None) -> None:
    author = await make_person(phone="+33600000007", shown_email="cabinet@exemple.test")
    ad = await make_ad(author, places=("commune:78361", "departement:78", "france"), urgent=True)
    async with unit_of_work() as session:
        shown = await view(session, ad, contacts=True)
    assert (shown.category_label, shown.situation) == ("Remplacement", "Je cherche un remplaçant")
    assert (shown.specialty_label, shown.flag) == ("Médecine générale", "Urgent")
    assert [(place.name, place.town) for place in shown.places] == [
        ("Mantes-la-Jolie", True),
        ("Yvelines", False),
        ("France", False),
    ]
    assert shown.contact is not None
    assert (shown.contact.mobile, shown.contact.email) == ("+33600000007", "cabinet@exemple.test")


async def test_an_anonymous_ad_has_no_contact(places: None) -> None:
    ad = await make_ad(await make_person(), anonymous=True)
    async with unit_of_work() as session:
        assert (await view(session, ad, contacts=True)).contact is None


@pytest.mark.parametrize("state", ["draft", "pending", "published", "unpublished", "refused", "deleted"])
@pytest.mark.parametrize("kind", ["doctor", "licensed"])
async def test_makers_reach_every_state(places: None, state: str, kind: str) -> None:
    ad = await make_ad(await make_person(kind), state)
    assert ad.state == state
