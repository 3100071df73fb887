"""Conditional answers: a validator that the caller sends back, and answers kept while the data stand still.

A validator is a digest of the answer itself, so that it tells exactly what the answer tells and nothing more.
Drawing an answer only to find that the caller has it would cost as much as giving it: a process remembers the
digests of what it answered lately, by question and by the mark of the data. The mark may follow any change, a
restricted one included, since it never leaves the process.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

SMALL = 512 * 1024
"""Bytes of the largest body that is kept whole; of a larger one, only the validator is."""
_ENTRY = 512
"""Bytes that an entry is counted for beside its body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: its validator, and its body when it is small enough to be given again."""

    tag: str
    body: bytes | None


class Answers:
    """The last answers of this process; those not asked for lately leave first."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._most = most_bytes
        self._bytes = 0

    def find(self, key: Hashable) -> Answer | None:
        """Return the answer to a question, if it is still here."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer."""
        self._forget(key)
        self._kept[key] = answer
        self._bytes += _size(answer)
        while self._bytes > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        former = self._kept.pop(key, None)
        if former is not None:
            self._bytes -= _size(former)


def _size(answer: Answer) -> int:
    return _ENTRY + len(answer.body or b"")


def tag_of(*parts: bytes | str) -> str:
    """Return a strong validator made of these parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return f'"{digest.hexdigest()[:24]}"'


def has_it(request: Request, tag: str) -> bool:
    """Tell whether the caller says that it holds this validator; weak and strong ones compare alike (RFC 9110)."""
    asked = {value.strip().removeprefix("W/") for value in request.headers.get("if-none-match", "").split(",")}
    return tag.removeprefix("W/") in asked or "*" in asked


async def answer(
    request: Request,
    make: Callable[[], Awaitable[bytes]],
    *,
    kept: Answers,
    key: Hashable,
    media_type: str,
    headers: Mapping[str, str],
    tag: str | None = None,
) -> Response:
    """Return a body with its validator, or 304; `make` runs only when this process cannot answer without it.

    Args:
        request: the question.
        make: draws the body.
        kept: where the process remembers.
        key: the question and the mark of the data that the answer depends on.
        media_type: of the body.
        headers: further ones, on the 304 too.
        tag: the validator, when the mark alone is public and gives it; else it is taken from the body.
    """
    found = kept.find(key)
    known = tag or (found.tag if found else None)
    if known is not None and has_it(request, known):
        return Response(status_code=304, headers={**headers, "ETag": known})
    if found is None or found.body is None:
        body = await make()
        known = tag or tag_of(media_type, body)
        kept.keep(key, Answer(known, body if len(body) <= SMALL else None))
        if has_it(request, known):
            return Response(status_code=304, headers={**headers, "ETag": known})
    else:
        body, known = found.body, found.tag
    return Response(body, media_type=media_type, headers={**headers, "ETag": known})
