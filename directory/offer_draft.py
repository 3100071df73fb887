"""Use cases of the guided path: a draft that keeps every step at once, and its publication in one transaction."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from core import clock
from core.errors import Conflict, NotFound
from directory import offer_steps as steps
from directory import offer_values
from directory.code_search import kind_of
from directory.concepts import ConceptIndex, concept_index
from directory.describe import describe_offer, describe_site
from directory.describe_rules import Problems
from directory.models import Practitioner, Role, Site
from directory.models_draft import OfferDraft
from directory.models_offer import Offer
from directory.offer_rights import editable_offer
from directory.offer_steps import Values
from directory.schemas import OfferDescription, Written

_LEFT: Final = " (left)"
"""After the name of a page that was left."""
_STARTS: Final = 100_000_000
"""A draft begins at a version drawn below this: a page that showed a draft which is gone knows none of the next one."""


@dataclass
class Work:
    """An offer that a person may edit, what is published of it, and the draft under way, if any."""

    offer: Offer
    site: Site
    role: Role | None
    practitioner: Practitioner | None
    draft: OfferDraft | None
    index: ConceptIndex
    published: Values

    @property
    def values(self) -> Values:
        """What the draft would publish."""
        return steps.merged(self.published, self.draft.data if self.draft else {})

    @property
    def first_time(self) -> bool:
        """Whether nobody has described the offer yet: the steps are then taken one after the other."""
        return not self.offer.described

    @property
    def reached(self) -> int:
        """The furthest step that was passed."""
        return self.draft.reached if self.draft else 0

    @property
    def kind(self) -> str:
        """What says which codes fit the offer."""
        profession = (self.role.profession if self.role else None) or (
            self.practitioner.profession if self.practitioner else None
        )
        return kind_of(self.index, self.offer.type_id, profession)

    @property
    def version(self) -> int:
        """The version of the draft; 0 without one."""
        return self.draft.version if self.draft else 0


class StaleDraft(Conflict):
    """The step, or what is published of it, is no longer what the page was shown with."""

    def __init__(self, fields: list[str], mine: Values, theirs: Values) -> None:
        super().__init__("Cette étape a été modifiée entre-temps, dans un autre onglet ou par une autre personne.")
        self.differing, self.mine, self.theirs = fields, mine, theirs


class OfferChanged(Conflict):
    """The offer or its place was published by someone else since the draft began; the draft is kept."""

    def __init__(self, conflicts: list[str], taken: list[str], mine: Values, theirs: Values) -> None:
        super().__init__("Cette offre a été modifiée entre-temps par quelqu’un d’autre. Votre brouillon est gardé.")
        self.conflicts, self.taken, self.mine, self.theirs = conflicts, taken, mine, theirs


async def open_work(session: AsyncSession, person: Person, uid: uuid.UUID) -> Work:
    """Return an offer to edit with its draft.

    Raises:
        NotFound: no such offer, or it is not this person's.
    """
    row = await editable_offer(session, person, uid)
    index = await concept_index(session)
    draft = await session.get(OfferDraft, row.Offer.id)
    values = await offer_values.published(session, row.Offer, row.Site, index)
    return Work(row.Offer, row.Site, row.Role, row.Practitioner, draft, index, values)


async def begin(session: AsyncSession, person: Person, work: Work) -> OfferDraft:
    """Begin the draft of an offer; when it has one already, that one goes on."""
    draft, _ = await _begun(session, person, work)
    return draft


async def _begun(session: AsyncSession, person: Person, work: Work) -> tuple[OfferDraft, bool]:
    made = await session.scalar(
        insert(OfferDraft)
        .values(
            offer_id=work.offer.id,
            account_id=person.account_id,
            base=work.published,
            base_version=work.offer.version,
            base_site_version=work.site.version,
            updated_by=person.actor,
            version=1 + secrets.randbelow(_STARTS),
        )
        .on_conflict_do_nothing()
        .returning(OfferDraft.offer_id)
    )
    work.draft = await _locked(session, work.offer.id)
    if work.draft is None:
        raise Conflict("Ce brouillon vient d’être abandonné ou publié par ailleurs. Rouvrez « Modifier votre offre ».")
    return work.draft, made is not None


async def _locked(session: AsyncSession, offer_id: int) -> OfferDraft | None:
    draft: OfferDraft | None = await session.scalar(
        select(OfferDraft)
        .where(OfferDraft.offer_id == offer_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return draft


@dataclass(frozen=True, slots=True)
class Writing:
    """From where a step is written: the versions that the page showed, the page itself.

    `version` is that of the draft, 0 without one; `offer` and `site` are those of what is published. `background` is a
    write that the person did not ask for; `leaving` says that the page is left with this write; `passed` is the step
    that they leave behind them.
    """

    version: int
    tab: str
    offer: int = 0
    site: int = 0
    background: bool = False
    leaving: bool = False
    passed: int = 0


async def write_step(
    session: AsyncSession, person: Person, work: Work, key: str, values: Values, writing: Writing
) -> OfferDraft:
    """Keep a step in the draft, as typed.

    Raises:
        StaleDraft: another page wrote other values in this step since the version that was shown, or the draft that
            was shown is gone; nothing is written.
    """
    draft, new = await _begun(session, person, work)
    if new:
        await _refuse_revival(session, work, key, values, writing)
    elif draft.version != writing.version:
        if writing.background and draft.tab == writing.tab + _LEFT:
            # What the page sent before it was left arrives after what was sent by leaving it.
            return draft
        own = bool(writing.tab) and draft.tab.removesuffix(_LEFT) == writing.tab
        stands, differing = _differing(work, key, values)
        if differing and not own:
            raise StaleDraft(differing, values, stands)
    draft.data = {**draft.data, key: values}
    draft.reached = max(draft.reached, writing.passed)
    draft.tab = writing.tab + (_LEFT if writing.leaving else "")
    draft.version += 1
    draft.updated_by = person.actor
    draft.updated_at = await clock.now(session)
    await session.flush()
    return draft


def _differing(work: Work, key: str, values: Values) -> tuple[Values, list[str]]:
    stands = steps.of_step(key, work.values)
    return stands, [name for name in values if not offer_values.same(name, values[name], stands[name])]


async def _refuse_revival(session: AsyncSession, work: Work, key: str, values: Values, writing: Writing) -> None:
    # A page older than a publication would put back, over it, what it was shown; one older than an abandonment would
    # bring back what was abandoned.
    if (writing.version, writing.offer, writing.site) == (0, work.offer.version, work.site.version):
        return
    stands, differing = _differing(work, key, values)
    if differing or writing.background:
        await drop(session, work.offer.id)
        work.draft = None
        raise StaleDraft(differing, values, stands)


async def pass_step(session: AsyncSession, person: Person, work: Work, number: int) -> None:
    """Note that a step which asks nothing was read."""
    draft = await begin(session, person, work)
    draft.reached = max(draft.reached, number)


async def drop(session: AsyncSession, offer_id: int) -> None:
    """Forget the draft of an offer; what is published stays."""
    await session.execute(delete(OfferDraft).where(OfferDraft.offer_id == offer_id))


async def abandon(session: AsyncSession, work: Work, version: int) -> bool:
    """Drop the draft that a page showed; when it was written since, drop nothing and return False."""
    work.draft = await _locked(session, work.offer.id)
    if work.draft is not None and work.draft.version != version:
        return False
    await drop(session, work.offer.id)
    return True


def checked(work: Work, values: Values | None = None) -> tuple[Problems, Values]:
    """Return what is wrong in the draft, by field, and what its steps describe; all steps the first time."""
    keys = list(steps.MODELS) if work.first_time else steps.asked(list(work.draft.data if work.draft else {}))
    return steps.check(values or work.values, work.index, keys)


@dataclass(frozen=True, slots=True)
class Seen:
    """Versions that the person was shown with the differences, and what they chose for each field."""

    offer: int = 0
    site: int = 0
    choices: Mapping[str, str] = field(default_factory=dict)


def _settled(work: Work, draft: OfferDraft, seen: Seen) -> Values:
    """Return the values to publish, once what others published since the draft began is taken into account.

    Raises:
        OfferChanged: others published, and the person has not been shown what.
    """
    mine, theirs, base = work.values, work.published, {**work.published, **draft.base}
    if (work.offer.version, work.site.version) == (draft.base_version, draft.base_site_version):
        return mine
    changed = [name for name in offer_values.LABELS if not offer_values.same(name, base[name], theirs[name])]
    if not changed:
        return mine
    conflicts = [
        name
        for name in changed
        if not offer_values.same(name, base[name], mine[name]) and not offer_values.same(name, mine[name], theirs[name])
    ]
    taken = [name for name in changed if name not in conflicts]
    known = seen.offer == work.offer.version and seen.site == work.site.version
    if not known or any(seen.choices.get(name) not in ("mine", "theirs") for name in conflicts):
        raise OfferChanged(conflicts, taken, mine, theirs)
    kept = {name for name in conflicts if seen.choices[name] == "mine"}
    return mine | {name: theirs[name] for name in changed if name not in kept}


async def publish_draft(session: AsyncSession, person: Person, work: Work, seen: Seen) -> Written:
    """Publish a draft: the offer and its place, in the caller's transaction; the draft is then gone.

    Raises:
        NotFound: there is no draft any more.
        OfferChanged: someone published meanwhile; the draft is kept.
        InvalidInput: a field breaks a rule; messages by field.
    """
    draft = await _locked(session, work.offer.id)
    if draft is None:
        raise NotFound("Ce brouillon n’existe plus : il vient d’être publié ou abandonné par ailleurs.")
    work.draft = draft
    values = _settled(work, draft, seen)
    problems, described = checked(work, values)
    problems.refuse()
    written = await describe_offer(
        session, work.offer.uid, OfferDescription(**described), person.actor, work.offer.version
    )
    position = written.position
    if any(not offer_values.same(name, values[name], work.published[name]) for name in offer_values.SITE_FIELDS):
        place = steps.check_place(values, work.index, problems)
        problems.refuse()
        site = await describe_site(session, work.site.uid, place, person.actor, work.site.version)
        position = max(filter(None, (position, site.position)), default=None)
    await drop(session, work.offer.id)
    return written.model_copy(update={"position": position})


def difference(work: Work, names: Sequence[str], mine: Values, theirs: Values) -> list[dict[str, Any]]:
    """Return fields with both their values in words, for the page that asks which one wins."""
    return [
        {
            "name": name,
            "label": offer_values.LABELS[name],
            "mine": offer_values.readable(name, mine[name], work.index),
            "theirs": offer_values.readable(name, theirs[name], work.index),
        }
        for name in names
    ]
