"""The nomenclatures as people read them: a page that lists them, and each as PDF or Excel."""

from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from core import conditional, pdf
from core.db import SessionDep
from core.sheets import EXCEL, Column, texts
from core.ui import assets, pages
from core.ui.filters import counted, long_date, number
from directory.nomenclature_lists import NomenclatureList, nomenclature_list, nomenclatures, professions

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
assets.add_folder("directory", Path(__file__).parent / "static")

TEMPLATE: Final = Path(__file__).parent / "documents" / "nomenclature.typ"
COLUMNS: Final = (Column("Nomenclature", 14), Column("Code", 14), Column("Libellé", 90), Column("État", 14))
KEPT: Final = conditional.Answers(16 * 2**20)
"""Lists that this process wrote lately."""
CACHE: Final = {"Cache-Control": "public, no-cache"}

ProfessionQuery = Annotated[str | None, Query(max_length=20)]


@router.get("/nomenclatures")
async def nomenclature_page(request: Request, session: SessionDep, profession: ProfessionQuery = None) -> Response:
    """Draw the page of the nomenclatures; with a profession, only the lists that it limits."""
    context = {
        "lists": await nomenclatures(session, profession or None),
        "professions": await professions(session),
        "profession": profession or "",
        "query": f"?profession={profession}" if profession else "",
    }
    return pages.render(
        request, "directory/nomenclatures.html", context, headers={"Cache-Control": "private, no-cache"}
    )


@router.get("/nomenclatures/{system}.pdf")
async def nomenclature_pdf(
    request: Request, session: SessionDep, system: str, profession: ProfessionQuery = None
) -> Response:
    """Draw a nomenclature as PDF: the codes in use."""
    found = await nomenclature_list(session, system, profession or None)
    data = _document(found)
    mark = pdf.mark(TEMPLATE, data)

    async def drawn() -> bytes:
        return await pdf.draw(TEMPLATE, data, made_at=found.summary.loaded_at)

    headers = CACHE | {"Content-Disposition": f'inline; filename="{_name(found)}.pdf"'}
    return await conditional.answer(
        request, drawn, kept=KEPT, key=mark, media_type=pdf.MEDIA_TYPE, headers=headers, tag=mark
    )


@router.get("/nomenclatures/{system}.xlsx")
async def nomenclature_sheet(
    request: Request, session: SessionDep, system: str, profession: ProfessionQuery = None
) -> Response:
    """Write a nomenclature as an Excel sheet: every code, retired ones last and said so."""
    found = await nomenclature_list(session, system, profession or None)
    tag = conditional.tag_of("xlsx", found.model_dump_json())

    async def written() -> bytes:
        rows = (
            (found.summary.system, one.code.partition("|")[2], one.label, "en vigueur" if one.active else "retiré")
            for one in found.codes
        )
        return texts("Liste", COLUMNS, rows, _about(found), made_at=found.summary.loaded_at)

    headers = CACHE | {"Content-Disposition": f'attachment; filename="{_name(found)}.xlsx"'}
    return await conditional.answer(request, written, kept=KEPT, key=tag, media_type=EXCEL, headers=headers, tag=tag)


def _name(found: NomenclatureList) -> str:
    profession = f"-profession-{found.profession.code.partition('|')[2]}" if found.profession else ""
    return f"repere-{found.summary.system.lower()}{profession}"


def _about(found: NomenclatureList) -> list[tuple[str, str]]:
    summary = found.summary
    lines = [("Nomenclature", f"{summary.label} ({summary.system})"), ("Version", summary.version)]
    if found.profession:
        lines.append(("Profession", found.profession.label))
    return [
        *lines,
        ("En vigueur dans Repère", f"depuis le {long_date(summary.loaded_at)}"),
        ("Codes en vigueur", number(summary.active)),
        ("Codes retirés", number(summary.retired)),
    ]


def _document(found: NomenclatureList) -> dict[str, object]:
    summary = found.summary
    title = f"{summary.label} ({summary.system})"
    heading = f"{summary.label}, {found.profession.label.lower()}" if found.profession else summary.label
    return {
        "title": f"{title}, {found.profession.label}" if found.profession else title,
        "heading": heading,
        "running": title,
        "eyebrow": f"Nomenclature {summary.system}",
        "count": counted(summary.active, "code"),
        "retired": f"{counted(summary.retired, 'code')} de plus, que des fiches anciennes peuvent porter : "
        "le tableau Excel les donne."
        if summary.retired
        else None,
        "source": f"Nomenclatures des objets de santé, version {summary.version}.",
        "date": f"En vigueur dans Repère depuis le {long_date(summary.loaded_at)}",
        "address": None,
        "rows": [[one.code.partition("|")[2], one.label] for one in found.codes if one.active],
    }
