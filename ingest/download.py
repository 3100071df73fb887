"""Download of the official files: newest only, resumable, checked, kept under REPERE_HOME."""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from core.errors import Unavailable
from ingest.labels import REGISTERS, size
from ingest.settings import ingest_settings
from ingest.workspace import ingest_home

Progress = Callable[[str, float], None]
"""Told of each phase: French label, share done between 0 and 1."""

_CHECKSUMS = frozenset({"md5", "sha1", "sha256", "sha512"})
_AGENT = "Repere (repertoire de l'offre de sante)"


@dataclass(slots=True)
class Remote:
    """A file to fetch and what its publisher says of it."""

    url: str
    name: str
    modified: str = ""
    size: int | None = None
    checksum: str = ""
    etag: str = ""

    def same_as(self, other: "Remote") -> bool:
        """Whether two descriptions are of the same bytes."""
        return (self.url, self.modified, self.size, self.checksum) == (
            other.url,
            other.modified,
            other.size,
            other.checksum,
        )


class _Interrupted(Exception):
    """The connection was lost in the middle; what was received is kept."""


def download_registers(register: str | None = None, progress: Progress | None = None) -> list[Path]:
    """Fetch the newest official file of one register, or of the three.

    A file that is already there is not fetched again; an interrupted one goes on from where it stopped.

    Returns:
        The files, in REPERE_HOME.

    Raises:
        Unavailable: the publisher does not answer, or what came is not what was announced.
    """
    names = [register] if register else list(REGISTERS)
    tell = progress or (lambda label, share: None)
    timeout = httpx.Timeout(ingest_settings().ingest_download_timeout)
    found: list[Path] = []
    with httpx.Client(timeout=timeout, follow_redirects=True, headers={"user-agent": _AGENT}) as client:
        for rank, name in enumerate(names):

            def advance(label: str, share: float, rank: int = rank) -> None:
                tell(label, (rank + share) / len(names))

            found.append(_fetch(client, name, advance))
    return found


def _fetch(client: httpx.Client, register: str, progress: Progress) -> Path:
    folder = ingest_home() / "downloads" / register
    folder.mkdir(parents=True, exist_ok=True)
    tries = ingest_settings().ingest_download_tries
    for attempt in range(1, tries + 1):
        try:
            remote = _find(client, register)
            return _get(client, remote, folder, progress)
        except (httpx.TransportError, _Interrupted) as error:
            if attempt == tries:
                raise Unavailable(
                    f"Téléchargement {REGISTERS[register]} impossible après {tries} essais : {error}. Ce qui a été"
                    " reçu est gardé ; relancez la commande pour continuer."
                ) from error
            time.sleep(min(2**attempt, 30) * 0.25)
        except httpx.HTTPStatusError as error:
            raise Unavailable(
                f"Téléchargement {REGISTERS[register]} refusé par {error.request.url.host}"
                f" (réponse {error.response.status_code})."
            ) from error
    raise AssertionError("unreachable")


def _find(client: httpx.Client, register: str) -> Remote:
    settings = ingest_settings()
    address = getattr(settings, f"ingest_{register}_url")
    pattern = re.compile(getattr(settings, f"ingest_{register}_pattern"), re.IGNORECASE)
    if "/api/" not in urlsplit(address).path:
        return Remote(address, _name(address))
    answer = client.get(address)
    answer.raise_for_status()
    try:
        body = answer.json()
    except ValueError as error:
        raise Unavailable(f"{address} ne répond pas en JSON.") from error
    resources = [r for r in body.get("resources") or [body.get("resource")] if isinstance(r, dict) and r.get("url")]
    matching = [r for r in resources if any(pattern.search(str(r.get(k) or "")) for k in ("id", "title", "url"))]
    if not matching:
        raise Unavailable(f"{address} ne propose aucun fichier {REGISTERS[register]} (motif « {pattern.pattern} »).")
    return _remote(max(matching, key=lambda r: (str(r.get("last_modified") or ""), str(r.get("title")))), address)


def _remote(resource: dict[str, Any], base: str) -> Remote:
    checksum = resource.get("checksum") or {}
    kind, value = str(checksum.get("type") or "").lower(), str(checksum.get("value") or "").lower()
    url = urljoin(base, str(resource["url"]))
    length = resource.get("filesize")
    return Remote(
        url=url,
        name=_name(url),
        modified=str(resource.get("last_modified") or ""),
        size=int(length) if length else None,
        checksum=f"{kind}:{value}" if kind in _CHECKSUMS and value else "",
    )


def _name(url: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(urlsplit(url).path).name)
    return name.lstrip(".") or "registre"


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".origine")


def _read_note(path: Path) -> Remote | None:
    try:
        return Remote(**json.loads(_note(path).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _get(client: httpx.Client, remote: Remote, folder: Path, progress: Progress) -> Path:
    target = folder / remote.name
    known = _read_note(target)
    described = bool(remote.modified or remote.checksum)
    if target.exists() and known is not None and described and known.same_as(remote):
        return target
    part = target.with_name(target.name + ".part")
    begun = _read_note(part)
    if begun is not None and begun.same_as(remote):
        remote.etag = begun.etag
    else:
        part.unlink(missing_ok=True)
    modified = _receive(client, remote, part, progress)
    _check(remote, part)
    part.replace(target)
    _note(part).unlink(missing_ok=True)
    _note(target).write_text(json.dumps(asdict(remote)), "utf-8")
    os.utime(target, (modified, modified))
    # Newest only: what the publisher replaced is of no more use here.
    for old in folder.iterdir():
        if old not in (target, _note(target)):
            old.unlink()
    return target


def _receive(client: httpx.Client, remote: Remote, part: Path, progress: Progress) -> float:
    """Fetch the bytes that are missing; returns the file's date."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"accept-encoding": "identity"}
    if have and remote.size is not None and have == remote.size:
        return time.time()
    if have:
        headers["range"] = f"bytes={have}-"
        if remote.etag:
            headers["if-range"] = remote.etag
    with client.stream("GET", remote.url, headers=headers) as answer:
        if answer.status_code == 416:
            part.unlink(missing_ok=True)
            raise _Interrupted("reprise refusée par le serveur")
        answer.raise_for_status()
        if answer.status_code != 206:
            have = 0
        etag = answer.headers.get("etag", "")
        remote.etag = "" if etag.startswith("W/") else etag
        _note(part).write_text(json.dumps(asdict(remote)), "utf-8")
        length = answer.headers.get("content-length")
        total = have + int(length) if length else remote.size
        limit = ingest_settings().ingest_max_bytes
        got = have
        try:
            with part.open("ab" if have else "wb") as stream:
                for block in answer.iter_raw(1 << 20):
                    stream.write(block)
                    got += len(block)
                    if got > limit:
                        raise Unavailable(f"{remote.name} dépasse {size(limit)} : téléchargement abandonné.")
                    progress(f"Téléchargement de {remote.name}", got / total if total else 0.5)
                stream.flush()
                os.fsync(stream.fileno())
        except httpx.TransportError as error:
            raise _Interrupted(str(error) or "connexion perdue") from error
        if total is not None and got < total:
            raise _Interrupted(f"connexion perdue à {size(got)} sur {size(total)}")
        return _date(answer.headers.get("last-modified"), remote.modified)


def _date(header: str | None, announced: str) -> float:
    try:
        if announced:
            moment = datetime.fromisoformat(announced)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if header:
            return parsedate_to_datetime(header).timestamp()
    except ValueError:
        pass
    return time.time()


def _check(remote: Remote, part: Path) -> None:
    found = part.stat().st_size
    if remote.size is not None and found != remote.size:
        part.unlink()
        raise Unavailable(f"{remote.name} : {size(found)} reçus au lieu de {size(remote.size)} ; fichier jeté.")
    if remote.checksum:
        kind, wanted = remote.checksum.split(":")
        digest = hashlib.new(kind, usedforsecurity=False)
        with part.open("rb") as stream:
            while block := stream.read(1 << 22):
                digest.update(block)
        if digest.hexdigest() != wanted:
            part.unlink()
            raise Unavailable(f"{remote.name} : la somme de contrôle {kind} ne correspond pas ; fichier jeté.")
    if not found:
        part.unlink()
        raise Unavailable(f"{remote.name} : le serveur a envoyé un fichier vide.")
