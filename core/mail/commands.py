"""Commands of mails: `repere mail …`."""

import asyncio
import json as jsonlib
import logging
import uuid
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import structlog
import typer
from sqlalchemy.exc import OperationalError

from core import db
from core.clock import local
from core.errors import Unavailable
from core.mail import delivery, message, service
from core.mail.outbox import queue
from core.mail.settings import mail_settings
from core.mail.smtp import Line, NotConfigured, ServerTrouble, server_of
from core.mail.states import LABELS, state_of
from core.models_mail import Mail
from core.ui.filters import counted

app = typer.Typer(name="mail", help="Mails : ce qui attend, ce qui a échoué, essai d’envoi.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Écrire un objet JSON plutôt qu’un texte.")]
T = TypeVar("T")


def _run(work: Coroutine[Any, Any, T]) -> T:
    # A command says in French what it has to say; the journal is for processes that nobody watches.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    async def whole() -> T:
        try:
            return await work
        except OperationalError as error:
            raise Unavailable(
                "La base de données ne répond pas : vérifiez REPERE_DATABASE_URL, ou lancez « ./repere doctor »."
            ) from error
        finally:
            await db.dispose()

    return asyncio.run(whole())


@app.command("list")
def list_command(
    failed: Annotated[bool, typer.Option("--failed", help="Seulement les mails qui ont échoué.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Nombre de mails.")] = 30,
    json: Json = False,
) -> None:
    """Lister les derniers mails, sans leur contenu."""

    async def read() -> list[Mail]:
        async with db.unit_of_work() as session:
            return list(await service.latest(session, state="failed" if failed else None, limit=limit))

    mails = _run(read())
    if json:
        typer.echo(jsonlib.dumps([_as_dict(mail) for mail in mails], ensure_ascii=False))
        return
    if not mails:
        typer.echo("Aucun mail n’a échoué." if failed else "Aucun mail.")
    for mail in mails:
        when = f"{local(mail.queued_at):%d/%m/%Y %H:%M}"
        typer.echo(f"{mail.id}  {when}  {LABELS[state_of(mail)]}  {mail.kind}  {mail.recipient or '(effacé)'}")
        if mail.reason:
            typer.echo(f"    {counted(mail.attempts, 'essai')} : {mail.reason}")


def _as_dict(mail: Mail) -> dict[str, object]:
    return {
        "id": mail.id,
        "kind": mail.kind,
        "state": mail.state,
        "to": mail.recipient,
        "attempts": mail.attempts,
        "reason": mail.reason,
        "queued_at": mail.queued_at.isoformat(),
        "sent_at": mail.sent_at.isoformat() if mail.sent_at else None,
        "can_retry": mail.state == "failed" and mail.text is not None,
    }


@app.command("retry")
def retry_command(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[N°]...", help="Numéros des mails.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Tous ceux qui ont échoué.")] = False,
) -> None:
    """Remettre dans la file des mails qui ont échoué."""
    if bool(numbers) == everything:
        raise typer.BadParameter("donnez des numéros de mails, ou --all.")

    async def put_back() -> int:
        async with db.unit_of_work() as session:
            wanted = await service.failed_ids(session) if everything else sorted(set(numbers or ()))
            for number in wanted:
                await service.retry(session, number)
            return len(wanted)

    done = _run(put_back())
    typer.echo(f"{counted(done, 'mail')} dans la file.")


@app.command("test")
def test_command(address: Annotated[str, typer.Argument(metavar="ADRESSE", help="À qui écrire.")]) -> None:
    """Envoyer tout de suite un mail d’essai, et dire ce que le serveur en fait."""

    async def send() -> Mail:
        if not mail_settings().kept_here:
            server_of(mail_settings())
            message.sender()
        key = str(uuid.uuid4())
        async with db.unit_of_work() as session:
            await queue(session, kind="core.test", key=key, to=address, template="test")
            mail_id = await service.id_of(session, "core.test", key)
        await delivery.deliver([mail_id])
        async with db.unit_of_work() as session:
            return await session.get_one(Mail, mail_id)

    mail = _run(send())
    if mail.state != "sent":
        typer.echo(f"Le mail d’essai n’est pas parti. {mail.reason or ''}", err=True)
        raise typer.Exit(1)
    if mail_settings().kept_here:
        typer.echo("Démonstration : le mail d’essai est dans la messagerie, à l’adresse /demo/messagerie.")
    else:
        typer.echo(f"Le serveur a pris le mail d’essai pour {mail.recipient}.")


@app.command("status")
def status_command(json: Json = False) -> None:
    """Dire si l’envoi est configuré, si le serveur répond, ce qui attend et ce qui a échoué."""

    async def read() -> tuple[service.Counts, str]:
        async with db.unit_of_work() as session:
            found = await service.counts(session)
        return found, await _problem()

    found, problem = _run(read())
    settings = mail_settings()
    if json:
        answer = {
            "configured": settings.configured,
            "kept_here": settings.kept_here,
            "problem": problem or None,
            "queued": found.queued + found.sending,
            "sent": found.sent,
            "failed": found.failed,
            "failed_lately": found.failed_lately,
        }
        typer.echo(jsonlib.dumps(answer, ensure_ascii=False))
        return
    if settings.kept_here:
        typer.echo("Démonstration : les mails restent dans la messagerie, à l’adresse /demo/messagerie.")
    else:
        typer.echo(problem or "L’envoi est configuré, et le serveur répond.")
    since = f", depuis le {local(found.waiting_since):%d/%m/%Y à %H:%M}" if found.waiting_since else ""
    typer.echo(f"En attente : {found.queued + found.sending}{since}")
    typer.echo(f"Envoyés : {found.sent}")
    typer.echo(f"Échoués : {found.failed}")
    if problem:
        raise typer.Exit(1)


async def _problem() -> str:
    """Return why no mail can leave, an empty text when one can."""
    settings = mail_settings()
    if settings.kept_here:
        return ""
    try:
        line = Line(server_of(settings))
        message.sender()
        await line.check()
        await line.close()
    except NotConfigured as error:
        return error.detail
    except ServerTrouble as error:
        return error.reason
    return ""
