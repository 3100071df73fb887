"""Photos and PDF of ads: sent and kept aside, put on an ad, taken off, swept when nothing names them."""

import asyncio
import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from accounts.api import Limit, take
from core import files as contents
from core.errors import InvalidInput, NotFound, TooLarge, TooMany
from modules.ads import clamav
from modules.ads.documents import document
from modules.ads.images import photo
from modules.ads.models import Ad, AdFile
from modules.ads.models_upload import AdUpload
from modules.ads.people import Reader, file_readable_by
from modules.ads.schemas import FileRef
from modules.ads.views import FileView, file_address

MEGABYTE: Final = 1_048_576
LARGEST_FILE: Final = 15 * MEGABYTE
LARGEST_FORM: Final = 64 * MEGABYTE
"""Bytes of a form with its files: more are sent in several times."""
LARGEST_AD: Final = 60 * MEGABYTE
"""Bytes of all the files of an ad, as they are kept."""
KEPT_ASIDE: Final = timedelta(days=1)
"""How long a file that is on no ad stays."""
SWEPT_AT_ONCE: Final = 500
SENDING: Final = Limit("ad-file", 60, timedelta(minutes=1))
"""Files that one account sends."""
NAME_MAX: Final = 120
TYPES: Final = {"image": "image/jpeg", "pdf": "application/pdf"}
HEAVY: Final = "Ce fichier dépasse 15\u00a0Mo : réduisez-le, puis ajoutez-le de nouveau."
HEAVY_FORM: Final = (
    "Ces fichiers sont trop lourds pour être envoyés ensemble : ils ne sont pas gardés. "
    "Ajoutez-les en plusieurs fois, 15\u00a0Mo au plus chacun."
)
_UNKNOWN_KIND: Final = "Ce fichier n’est ni une photo JPEG ou PNG, ni un PDF : enregistrez-le sous l’une de ces formes."
_GONE: Final = "Un fichier ajouté il y a longtemps n’est plus là : ajoutez-le de nouveau."

_decoding = asyncio.Semaphore(2)
"""Photos decoded at once in a process: each takes up to two hundred megabytes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A content that was looked at and is on the disk, with no row yet."""

    kind: str
    name: str
    digest: str
    thumb: str | None
    size: int
    width: int | None
    height: int | None


def base_name(name: str) -> str:
    """Return the name of a file as its sender called it, without folder and without what cannot be seen."""
    base = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    return "".join(char for char in base if unicodedata.category(char)[0] != "C").strip(" .")


def clean_name(name: str, kind: str) -> str:
    """Return the name under which a file is kept: that of its sender, with the ending of what it is."""
    stem = re.sub(r"\.(jpe?g|png|pdf|heic)$", "", base_name(name), flags=re.IGNORECASE)[:NAME_MAX].strip(" .")
    return (stem or ("photo" if kind == "image" else "document")) + (".jpg" if kind == "image" else ".pdf")


async def check(name: str, content: bytes) -> Kept:
    """Look at what was sent, whatever its name and its sender say it is, and keep what may be shown of it.

    Raises:
        TooLarge: it is heavier than a file may be.
        InvalidInput: it is no photo or PDF of ours, cannot be read, or is dangerous.
        Unavailable: the antivirus does not answer.
    """
    if len(content) > LARGEST_FILE:
        raise TooLarge(HEAVY)
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        async with _decoding:
            made = await asyncio.to_thread(photo, content)
        digest = await asyncio.to_thread(contents.put, made.content)
        thumb = await asyncio.to_thread(contents.put, made.thumb)
        size = len(made.content)
        return Kept("image", clean_name(name, "image"), digest, thumb, size, made.width, made.height)
    if not content.startswith(b"%PDF-"):
        raise InvalidInput(_UNKNOWN_KIND)
    await clamav.scan(content)
    async with _decoding:
        written = await asyncio.to_thread(document, content)
    digest = await asyncio.to_thread(contents.put, written)
    return Kept("pdf", clean_name(name, "pdf"), digest, None, len(written), None, None)


async def allow_one(session: AsyncSession, account_id: int) -> None:
    """Count a file that somebody sends.

    Raises:
        TooMany: they sent too many lately.
    """
    if await take(session, SENDING, str(account_id)) is not None:
        raise TooMany("Vous avez envoyé beaucoup de fichiers : celui-ci n’est pas gardé. Réessayez dans une minute.")


async def stage(session: AsyncSession, account_id: int, kept: Kept) -> AdUpload:
    """Keep aside a content that was looked at, for the ads of its sender."""
    upload = AdUpload(
        account_id=account_id,
        kind=kept.kind,
        name=kept.name,
        digest=kept.digest,
        thumb=kept.thumb,
        size=kept.size,
        width=kept.width,
        height=kept.height,
    )
    session.add(upload)
    await session.flush()
    await session.refresh(upload)
    return upload


async def known(
    session: AsyncSession, account_id: int, uids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, AdFile | AdUpload]:
    """Return the files of somebody, on their ads or kept aside, by identifier; others are left out."""
    found: dict[uuid.UUID, AdFile | AdUpload] = {}
    if uids:
        aside = select(AdUpload).where(AdUpload.uid.in_(uids), AdUpload.account_id == account_id)
        for upload in await session.scalars(aside.order_by(AdUpload.id)):
            found[upload.uid] = upload
        own = (
            select(AdFile)
            .join(Ad, Ad.id == AdFile.ad_id)
            .where(AdFile.uid.in_(uids), Ad.account_id == account_id, Ad.state != "deleted")
            .order_by(AdFile.id)
        )
        for file in await session.scalars(own):
            found[file.uid] = file
    return found


async def find(session: AsyncSession, account_id: int, uids: Sequence[uuid.UUID]) -> list[AdFile | AdUpload]:
    """Return the files that somebody names for an ad of theirs, in their order, each once.

    Raises:
        InvalidInput: one of them is no longer there, or they are too heavy together.
    """
    wanted = list(dict.fromkeys(uids))
    found = await known(session, account_id, wanted)
    there = await asyncio.to_thread(lambda: {uid for uid in wanted if uid in found and _on_disk(found[uid])})
    error = ""
    if len(there) < len(wanted):
        error = _GONE
    elif sum(found[uid].size for uid in wanted) > LARGEST_AD:
        error = f"Ces fichiers dépassent ensemble {LARGEST_AD // MEGABYTE}\u00a0Mo : retirez-en."
    if error:
        raise InvalidInput(error, fields={"files": error})
    return [found[uid] for uid in wanted]


def _on_disk(file: AdFile | AdUpload) -> bool:
    return all(contents.path_of(digest).exists() for digest in (file.digest, file.thumb) if digest)


def refs(files: Sequence[AdFile | AdUpload]) -> tuple[FileRef, ...]:
    """Return files as the content of an ad names them."""
    return tuple(FileRef(name=file.name, digest=file.digest) for file in files)


def view_of(file: AdFile | AdUpload) -> FileView:
    """Return how a file is shown, on an ad or kept aside."""
    return FileView(
        uid=file.uid,
        kind="image" if file.kind == "image" else "pdf",
        name=file.name,
        address=file_address(file.uid),
        thumb=file_address(file.uid, thumb=True) if file.thumb else None,
        size=file.size,
        width=file.width,
        height=file.height,
    )


async def attach(session: AsyncSession, ad: Ad, files: Sequence[AdFile | AdUpload]) -> None:
    """Give an ad exactly these files, in this order."""
    held = {file.uid: file for file in await session.scalars(select(AdFile).where(AdFile.ad_id == ad.id))}
    kept = {file.uid for file in files}
    for uid, former in held.items():
        if uid not in kept:
            await session.delete(former)
    new = [file.uid for file in files if file.uid not in held]
    taken = set(await session.scalars(select(AdFile.uid).where(AdFile.uid.in_(new), AdFile.ad_id != ad.id)))
    # The sweep looks again at whatever became young meanwhile.
    digests = [file.digest for file in files]
    await session.execute(
        update(AdUpload)
        .where(AdUpload.digest.in_(digests), AdUpload.account_id == ad.account_id)
        .values(added_at=func.core.now())
    )
    for position, file in enumerate(files):
        if file.uid in held:
            held[file.uid].position = position
            continue
        session.add(
            AdFile(
                uid=uuid.uuid4() if file.uid in taken else file.uid,
                ad_id=ad.id,
                position=position,
                kind=file.kind,
                name=file.name,
                digest=file.digest,
                thumb=file.thumb,
                size=file.size,
                width=file.width,
                height=file.height,
            )
        )
    await session.flush()


async def drop_all(session: AsyncSession, ad: Ad) -> None:
    """Take every file off an ad; contents that nothing names any longer are swept later."""
    await session.execute(delete(AdFile).where(AdFile.ad_id == ad.id))


async def forget(session: AsyncSession, account_id: int) -> None:
    """Have whatever somebody sent, and is on no ad, go with the next sweep: they leave."""
    old = func.core.now() - KEPT_ASIDE - timedelta(hours=1)
    await session.execute(update(AdUpload).where(AdUpload.account_id == account_id).values(name="", added_at=old))


async def readable(session: AsyncSession, reader: Reader, uid: uuid.UUID) -> AdFile | AdUpload:
    """Return a file that somebody may open: of an ad that they may read, or one that they keep aside.

    Raises:
        NotFound: there is none, or it is of an ad that they may not read.
    """
    file = await session.scalar(
        select(AdFile).join(Ad, Ad.id == AdFile.ad_id).where(AdFile.uid == uid, file_readable_by(reader))
    )
    if file is not None:
        return file
    upload = await session.scalar(select(AdUpload).where(AdUpload.uid == uid, AdUpload.account_id == reader.account_id))
    if upload is None:
        raise NotFound("Ce fichier n’existe pas, ou n’est plus montré.")
    return upload


async def sweep_unused(session: AsyncSession) -> int:
    """Remove the contents that are on no ad and were sent more than a day ago; return how many were.

    Run in a unit of work of its own, again while it returns as many as `SWEPT_AT_ONCE`.
    """
    used = exists().where(AdFile.digest == AdUpload.digest)
    old = AdUpload.added_at < func.core.now() - KEPT_ASIDE
    rows = list(
        await session.scalars(
            select(AdUpload)
            .where(old, ~used)
            .order_by(AdUpload.added_at, AdUpload.id)
            .limit(SWEPT_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    )
    await session.execute(delete(AdUpload).where(AdUpload.id.in_([row.id for row in rows])))
    for digest in sorted({digest for row in rows for digest in (row.digest, row.thumb) if digest}):
        if not await _named(session, digest):
            await asyncio.to_thread(contents.discard, digest)
    return len(rows)


async def _named(session: AsyncSession, digest: str) -> bool:
    on_ads, aside = aliased(AdFile), aliased(AdUpload)
    wanted = select(
        or_(
            exists().where(or_(on_ads.digest == digest, on_ads.thumb == digest)),
            exists().where(or_(aside.digest == digest, aside.thumb == digest)),
        )
    )
    return bool(await session.scalar(wanted))
