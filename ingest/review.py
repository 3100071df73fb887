"""The review queue of AMELI links: list, accept, refuse; decisions survive reloads."""

import contextlib
import json
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from core.errors import InvalidInput, NotFound


class Proposal(BaseModel):
    """A person and structure that a line may be about."""

    rpps: str
    structure: str
    score: int
    name: str | None = None
    place: str | None = None
    explanation: Any = None


class Pending(BaseModel):
    """An AMELI line to review, with its proposals, best first."""

    fingerprint: str
    line: int
    score: int
    name: str
    specialty: str
    address: str
    phone: str | None
    proposals: list[Proposal]


class Linked(BaseModel):
    """A line and the role that an operator gave it to."""

    fingerprint: str
    rpps: str
    structure: str


def pending(conn: psycopg.Connection, limit: int = 50, after: str | None = None) -> tuple[list[Pending], int]:
    """The lines to review, best score first, and how many there are; `after` is a fingerprint of the page before."""
    total = conn.execute("SELECT count(*) FROM ingest.ameli_link WHERE decision = 'review'").fetchone()
    rows = conn.execute(
        """SELECT fingerprint, line, score, rpps, structure, explanation, content FROM ingest.ameli_link l
        WHERE decision = 'review' AND (%(after)s::text IS NULL OR (-score, fingerprint) >
            (SELECT -score, fingerprint FROM ingest.ameli_link WHERE fingerprint = %(after)s))
        ORDER BY -score, fingerprint LIMIT %(limit)s""",
        {"after": after, "limit": limit},
    ).fetchall()
    found = [_pending(row) for row in rows]
    _describe(conn, [p for item in found for p in item.proposals])
    return found, int(total[0]) if total else 0


def _pending(row: tuple[Any, ...]) -> Pending:
    fingerprint, line, score, rpps, structure, explanation, content = row
    body = explanation if isinstance(explanation, dict) else {}
    proposals = [_proposal(c) for c in body.get("candidates") or ()]
    if not proposals and rpps:
        proposals = [Proposal(rpps=rpps, structure=structure or "", score=score, explanation=explanation)]
    street = [content.get(k) for k in ("street", "complement", "locality", "postal_code", "town")]
    return Pending(
        fingerprint=fingerprint,
        line=line,
        score=score,
        name=" ".join(v for k in ("last_name", "first_name") if (v := content.get(k))),
        specialty=content.get("specialty_label") or content.get("specialty") or "",
        address=", ".join(v for v in street if v),
        phone=content.get("phone"),
        proposals=proposals,
    )


def _proposal(raw: dict[str, Any]) -> Proposal:
    explanation = raw.get("explanation")
    if isinstance(explanation, str):
        with contextlib.suppress(ValueError):
            explanation = json.loads(explanation)
    return Proposal(
        rpps=raw["rpps"], structure=raw.get("structure") or "", score=int(raw["score"]), explanation=explanation
    )


def _describe(conn: psycopg.Connection, proposals: list[Proposal]) -> None:
    """Add the name and the place that the directory has for each proposal."""
    if not proposals:
        return
    rows = conn.execute(
        """SELECT p.national_id, split_part(r.key, '/', 2), p.last_name || ' ' || p.first_name,
            concat_ws(', ', s.name, s.street, concat_ws(' ', s.postal_code, s.town))
        FROM directory.practitioner p JOIN directory.role r ON r.practitioner_id = p.id AND r.closed_on IS NULL
        LEFT JOIN directory.site s ON s.id = r.site_id WHERE p.rpps = ANY(%s) OR p.adeli = ANY(%s)""",
        ([p.rpps for p in proposals], [p.rpps for p in proposals]),
    ).fetchall()
    known = {(national[1:], structure): (name, place) for national, structure, name, place in rows}
    names = {national[1:]: name for national, _, name, _ in rows}
    for proposal in proposals:
        name, place = known.get((proposal.rpps, proposal.structure), (names.get(proposal.rpps), None))
        proposal.name, proposal.place = name, place or None


def decide(
    conn: psycopg.Connection,
    fingerprint: str,
    *,
    accepted: bool,
    rpps: str | None,
    structure: str | None,
    decided_by: str,
) -> tuple[Linked | None, str]:
    """Record what an operator says of a line and a person; without `rpps`, of its proposal(s).

    Accepting takes the best proposal unless another is named; refusing without a name refuses them all. The
    queue follows at once; see `ingest.applying` for the role itself, and every later load honours the decision.

    Returns:
        The pair that is now linked (None after a refusal), and a French sentence that says what was done.

    Raises:
        NotFound: no line has this fingerprint.
        InvalidInput: nothing is proposed and nobody was named.
    """
    rows = conn.execute(
        "SELECT fingerprint, line, score, rpps, structure, explanation, content FROM ingest.ameli_link"
        " WHERE starts_with(fingerprint, %s) LIMIT 2 FOR UPDATE",
        (fingerprint,),
    ).fetchall()
    if not rows:
        raise NotFound("Aucune ligne AMELI ne porte cette empreinte.")
    if len(rows) > 1:
        raise InvalidInput("Plusieurs lignes commencent par cette empreinte : donnez-la en entier.")
    item = _pending(rows[0])
    if rpps is not None:
        named = [p for p in item.proposals if p.rpps == rpps and structure in (None, p.structure)]
        pairs = named or [Proposal(rpps=rpps, structure=structure or "", score=0)]
        if accepted and not named and not _is_activity(conn, rpps, structure or ""):
            raise InvalidInput(f"Le répertoire ne connaît pas le professionnel {rpps} à cette structure.")
    else:
        pairs = item.proposals[:1] if accepted else item.proposals
    if not pairs:
        raise InvalidInput("Rien n’est proposé pour cette ligne : nommez le professionnel avec --rpps.")
    for pair in pairs:
        conn.execute(
            """INSERT INTO ingest.link_decision (fingerprint, rpps, structure, accepted, decided_by)
            VALUES (%s, %s, %s, %s, %s) ON CONFLICT (fingerprint, rpps, structure)
            DO UPDATE SET accepted = excluded.accepted, decided_by = excluded.decided_by, decided_at = now()""",
            (item.fingerprint, pair.rpps, pair.structure, accepted, decided_by),
        )
    best = pairs[0]
    if accepted:
        conn.execute(
            "UPDATE ingest.ameli_link SET decision = 'auto', rpps = %s, structure = %s WHERE fingerprint = %s",
            (best.rpps, best.structure or None, item.fingerprint),
        )
        linked = Linked(fingerprint=item.fingerprint, rpps=best.rpps, structure=best.structure)
        return linked, f"Accepté : {item.name} est {best.name or best.rpps}."
    left = [p for p in item.proposals if all((p.rpps, p.structure) != (q.rpps, q.structure) for q in pairs)]
    if left:
        kept = {"candidates": [p.model_dump(include={"rpps", "structure", "score", "explanation"}) for p in left]}
        conn.execute(
            "UPDATE ingest.ameli_link SET explanation = %s WHERE fingerprint = %s", (Jsonb(kept), item.fingerprint)
        )
        return None, f"Refusé : {best.name or best.rpps} n’est pas {item.name} ; {len(left)} autre(s) proposition(s)."
    conn.execute(
        "UPDATE ingest.ameli_link SET decision = 'none', rpps = NULL, structure = NULL WHERE fingerprint = %s",
        (item.fingerprint,),
    )
    return None, f"Refusé : {item.name} reste sans lien."


def _is_activity(conn: psycopg.Connection, rpps: str, structure: str) -> bool:
    row = conn.execute(
        """SELECT EXISTS (SELECT FROM directory.practitioner p JOIN directory.role r ON r.practitioner_id = p.id
            WHERE (p.rpps = %s OR p.adeli = %s) AND split_part(r.key, '/', 2) = %s AND r.closed_on IS NULL)""",
        (rpps, rpps, structure),
    ).fetchone()
    return bool(row and row[0])
