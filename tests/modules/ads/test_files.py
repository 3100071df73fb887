"""Photos and PDF of ads: judged by what they hold, kept without what they hide, served to readers alone."""

import os
import struct
import time
import zlib
from io import BytesIO

import httpx
import pikepdf
import pytest
from PIL import Image
from sqlalchemy import func, select, text

from accounts.person import cookie_name
from core import files as contents
from core.db import unit_of_work
from core.settings import load
from modules.ads import files
from modules.ads.models import Ad, AdFile
from modules.ads.models_upload import AdUpload
from tests.accounts.helpers import form_token, sign_in
from tests.modules.ads.clamd import MARK, clamd
from tests.modules.ads.desk import FULL, Desk, files_of, pdf, picture, written
from tests.modules.ads.makers import accept, make_person


@pytest.fixture
async def author(places: None, client: httpx.AsyncClient) -> int:
    account = await make_person()
    await sign_in(client, account)
    return account.id


async def rows() -> list[AdFile]:
    async with unit_of_work() as session:
        return list(await session.scalars(select(AdFile).order_by(AdFile.ad_id, AdFile.position)))


async def test_a_photo_is_kept_upright_small_and_without_its_secrets(author: int, client: httpx.AsyncClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Appareil secret"
    exif.get_ifd(0x8825)[1] = "N"
    photo = picture((3000, 1500), exif=exif, comment=b"Commentaire secret")
    assert b"Appareil secret" in photo
    desk = await Desk(client).open()
    answer = await desk.press("ajouter-fichiers", files=[("C:\\Users\\moi\\Ma photo.JPEG", photo)])
    assert answer.status_code == 200
    (uid,) = files_of(desk.page)
    assert "Ma photo.jpg" in desk.page
    served = await client.get(f"/annonces/fichiers/{uid}")
    assert served.headers["content-type"] == "image/jpeg"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["cache-control"] == "private, no-store"
    assert "sandbox" in served.headers["content-security-policy"]
    assert b"secret" not in served.content
    with Image.open(BytesIO(served.content)) as seen:
        assert seen.size == (1000, 2000)
        assert not seen.getexif()
    with Image.open(BytesIO((await client.get(f"/annonces/fichiers/{uid}/vignette")).content)) as seen:
        assert seen.size == (180, 360)


@pytest.mark.parametrize("kind", ["LA", "P", "I;16", "1", "RGBA"])
async def test_every_kind_of_png_becomes_a_photo(author: int, client: httpx.AsyncClient, kind: str) -> None:
    out = BytesIO()
    (Image.new("I;16", (40, 30), 65535) if kind == "I;16" else Image.new(kind, (40, 30))).save(out, "PNG")
    desk = await Desk(client).open()
    await desk.press("ajouter-fichiers", files=[("dessin.png", out.getvalue())])
    (uid,) = files_of(desk.page)
    with Image.open(BytesIO((await client.get(f"/annonces/fichiers/{uid}")).content)) as seen:
        assert (seen.format, seen.mode, seen.size) == ("JPEG", "RGB", (40, 30))


async def test_a_cmyk_photo_becomes_one_of_screens(author: int, client: httpx.AsyncClient) -> None:
    out = BytesIO()
    Image.new("CMYK", (40, 30)).save(out, "JPEG")
    desk = await Desk(client).open()
    await desk.press("ajouter-fichiers", files=[("imprimeur.jpg", out.getvalue())])
    assert len(files_of(desk.page)) == 1


def _png_of(width: int, height: int) -> bytes:
    """Make a small PNG that says it is a large one."""
    out = BytesIO()
    Image.new("L", (10, 10)).save(out, "PNG")
    content = bytearray(out.getvalue())
    content[16:24] = struct.pack("!II", width, height)
    content[29:33] = struct.pack("!I", zlib.crc32(bytes(content[12:29])))
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "status", "said"),
    [
        ("page.jpg", b"<html><script>alert(1)</script>", 422, "ni une photo JPEG ou PNG, ni un PDF"),
        ("image.gif", b"GIF89a" + b"\0" * 40, 422, "ni une photo JPEG ou PNG, ni un PDF"),
        ("vide.png", b"", 422, "ni une photo JPEG ou PNG, ni un PDF"),
        ("coupe.jpg", picture()[:2000], 422, "Cette photo est illisible ou incomplète"),
        ("faux.png", b"\x89PNG\r\n\x1a\nxxxx", 422, "Cette photo est illisible ou incomplète"),
        ("bombe.png", _png_of(60_000, 60_000), 422, "Cette photo a trop de pixels"),
        ("lourd.jpg", b"\xff\xd8\xff" + b"\0" * (15 * 1024 * 1024), 413, "Ce fichier dépasse 15"),
        ("faux.pdf", b"%PDF-1.7 rien", 422, "Ce PDF est illisible ou incomplet"),
        ("actif.pdf", pdf(OpenAction=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="x")), 422, "un programme"),
        (
            "lance.pdf",
            pdf(OpenAction=pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe")),
            422,
            "un programme, un formulaire actif ou un fichier joint",
        ),
        (
            "joint.pdf",
            pdf(Names=pikepdf.Dictionary(EmbeddedFiles=pikepdf.Dictionary(Names=[]))),
            422,
            "un programme, un formulaire actif ou un fichier joint",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else None,
)
async def test_what_is_no_file_of_ours_is_refused_and_what_was_typed_stays(
    author: int, client: httpx.AsyncClient, name: str, content: bytes, status: int, said: str
) -> None:
    desk = (await Desk(client).open()).fill(titre="Ce que j’ai tapé")
    answer = await desk.press("ajouter-fichiers", files=[(name, content), ("bonne.jpg", picture((20, 20)))])
    assert answer.status_code == status
    assert said in desk.page
    assert desk.fields["titre"] == ["Ce que j’ai tapé"]
    # The other file of the same sending is kept.
    assert len(files_of(desk.page)) == 1


async def test_a_locked_pdf_is_refused(author: int, client: httpx.AsyncClient) -> None:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf())) as made:
        made.save(out, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    desk = await Desk(client).open()
    await desk.press("ajouter-fichiers", files=[("contrat.pdf", out.getvalue())])
    assert "protégé par un mot de passe" in desk.page


async def test_a_pdf_is_written_anew_and_downloaded(author: int, client: httpx.AsyncClient) -> None:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf())) as made:
        made.docinfo["/Author"] = "Docteur Secret"
        made.save(out)
    desk = await Desk(client).open()
    await desk.press("ajouter-fichiers", files=[("bilan é.pdf", out.getvalue() + b"<script>secret</script>")])
    (uid,) = files_of(desk.page)
    served = await client.get(f"/annonces/fichiers/{uid}")
    assert served.headers["content-type"] == "application/pdf"
    assert served.headers["content-disposition"] == (
        "attachment; filename=\"bilan _.pdf\"; filename*=UTF-8''bilan%20%C3%A9.pdf"
    )
    assert "sandbox" in served.headers["content-security-policy"]
    assert served.content.startswith(b"%PDF-")
    assert b"ecret" not in served.content
    assert (await client.get(f"/annonces/fichiers/{uid}/vignette")).status_code == 404


async def test_a_form_that_is_too_heavy_keeps_what_was_typed(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(titre="Ce que j’ai tapé")
    heavy = [(f"{n}.jpg", b"\xff\xd8\xff" + bytes(14 * 1024 * 1024)) for n in range(5)]
    answer = await desk.press("transmettre", files=heavy)
    assert answer.status_code == 413
    assert "trop lourds pour être envoyés ensemble" in desk.page
    assert desk.fields["titre"] == ["Ce que j’ai tapé"]
    assert files_of(desk.page) == []


async def test_somebody_who_is_not_signed_in_sends_no_file(client: httpx.AsyncClient, places: None) -> None:
    await sign_in(client, await make_person())
    desk = await Desk(client).open()
    client.cookies.delete(cookie_name())
    await desk.press("ajouter-fichiers", files=[("a.jpg", picture((2000, 2000)))])
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(AdUpload)) == 0


async def test_files_outlive_an_error_then_go_on_the_ad_in_their_order(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**(FULL | {"titre": ""}))
    sent = [("une.jpg", picture((30, 20))), ("deux.jpg", picture((20, 30))), ("trois.pdf", pdf())]
    assert (await desk.press("transmettre", files=sent)).status_code == 422
    one, two, three = files_of(desk.page)
    await desk.press(monter_fichier=two)
    assert files_of(desk.page) == [two, one, three]
    await desk.press(retirer_fichier=three)
    desk.fill(titre="Avec un titre")
    assert (await desk.press("transmettre")).status_code == 303
    assert [(file.name, str(file.uid)) for file in await rows()] == [("deux.jpg", two), ("une.jpg", one)]


async def test_ten_files_at_most(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    await desk.press("ajouter-fichiers", files=[(f"{n}.jpg", picture((8, 8))) for n in range(11)])
    assert len(files_of(desk.page)) == 10
    assert "10 fichiers au plus : « 10.jpg » n’est pas ajouté." in desk.page
    desk.fields["fichier"] += ["00000000-0000-4000-8000-000000000000"]
    assert (await desk.press("brouillon")).status_code == 422


async def test_a_file_of_a_published_ad_is_content(author: int, client: httpx.AsyncClient) -> None:
    number = await written(client)
    await accept(number)
    desk = await Desk(client).open(f"/annonces/{number}/modifier")
    await desk.press("ajouter-fichiers", files=[("une.jpg", picture((30, 20)))])
    # Until it is transmitted, what is published stays as it was read.
    assert await rows() == []
    answer = await desk.press("transmettre")
    assert answer.headers["location"] == f"/annonces/mes-annonces?fait=transmise&annonce={number}"
    assert await _state(number) == "pending"
    assert [file.name for file in await rows()] == ["une.jpg"]
    await accept(number)
    desk = await Desk(client).open(f"/annonces/{number}/modifier")
    answer = await desk.press("transmettre")
    assert answer.headers["location"].endswith(f"fait=inchangee&annonce={number}")
    assert await _state(number) == "published"


async def _state(number: int) -> str | None:
    async with unit_of_work() as session:
        return await session.scalar(select(Ad.state).where(Ad.number == number))


async def test_an_antivirus_looks_at_every_pdf(
    author: int, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with clamd() as antivirus:
        monkeypatch.setenv("REPERE_CLAMD", f"127.0.0.1:{antivirus.port}")
        load.cache_clear()
        desk = await Desk(client).open()
        large = pdf() + b"%" + os.urandom(200_000)
        await desk.press("ajouter-fichiers", files=[("sain.pdf", large)])
        assert len(files_of(desk.page)) == 1
        assert antivirus.contents == [large]
        capsys.readouterr()
        answer = await desk.press("ajouter-fichiers", files=[("Dupont.pdf", pdf() + MARK)])
        assert (answer.status_code, "reconnu comme dangereux" in desk.page) == (422, True)
        said = capsys.readouterr()
        assert "Dupont" not in said.out + said.err
        antivirus.answer = b"INSTREAM size limit exceeded. ERROR\0"
        answer = await desk.press("ajouter-fichiers", files=[("autre.pdf", pdf())])
        assert (answer.status_code, "L’antivirus ne répond pas" in desk.page) == (503, True)
        antivirus.answer = b""
        answer = await desk.press("ajouter-fichiers", files=[("autre.pdf", pdf())])
        assert answer.status_code == 503
    answer = await desk.press("ajouter-fichiers", files=[("autre.pdf", pdf())])
    assert (answer.status_code, len(files_of(desk.page))) == (503, 1)
    load.cache_clear()


async def test_contents_that_nothing_names_are_swept_after_a_day(
    author: int, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    await desk.press("ajouter-fichiers", files=[("gardee.jpg", picture((30, 20))), ("laissee.jpg", picture((20, 30)))])
    kept, left = files_of(desk.page)
    await desk.press(retirer_fichier=left)
    assert (await desk.press("brouillon")).status_code == 303
    async with unit_of_work() as session:
        digests = {str(row.uid): row.digest for row in await session.scalars(select(AdUpload))}
        assert await files.sweep_unused(session) == 0
        await session.execute(text("UPDATE ads.ad_upload SET added_at = added_at - interval '25 hours'"))
    for digest in digests.values():
        os.utime(contents.path_of(digest), (time.time() - 7200, time.time() - 7200))
    async with unit_of_work() as session:
        assert await files.sweep_unused(session) == 1
    assert contents.path_of(digests[kept]).exists()
    assert not contents.path_of(digests[left]).exists()
    assert (await client.get(f"/annonces/fichiers/{kept}")).status_code == 200
    (file,) = await rows()
    async with unit_of_work() as session:
        ad = await session.get_one(Ad, file.ad_id)
    page = await client.get(f"/annonces/{ad.number}/supprimer")
    gone = await client.post(
        f"/annonces/{ad.number}/supprimer", data={"_csrf": form_token(page.text), "version": str(ad.version)}
    )
    assert gone.headers["location"].startswith("/annonces/mes-annonces?fait=supprimee")
    async with unit_of_work() as session:
        await session.execute(text("UPDATE ads.ad_upload SET added_at = added_at - interval '25 hours'"))
    os.utime(contents.path_of(digests[kept]), (time.time() - 7200, time.time() - 7200))
    async with unit_of_work() as session:
        assert await files.sweep_unused(session) == 1
    assert not contents.path_of(digests[kept]).exists()


async def test_a_content_that_was_swept_is_said_to_be_gone(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    await desk.press("ajouter-fichiers", files=[("une.jpg", picture((30, 20)))])
    async with unit_of_work() as session:
        upload = await session.scalar(select(AdUpload))
        assert upload is not None
    contents.path_of(upload.digest).unlink()
    assert (await desk.press("transmettre")).status_code == 422
    assert "Un fichier ajouté il y a longtemps n’est plus là" in desk.page
