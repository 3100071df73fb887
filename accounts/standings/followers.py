"""Packages that act when a council or an administrator changes what somebody is."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

Follow = Callable[[AsyncSession, int], Awaitable[None]]

_followers: dict[str, Follow] = {}


def follow_standings(name: str, follow: Follow) -> None:
    """Have a package called with an account whose standing was given or ended, in the transaction that did it."""
    _followers[name] = follow


async def tell_followers(session: AsyncSession, account_id: int) -> None:
    """Tell every package that the standing of an account changed."""
    for name in sorted(_followers):
        await _followers[name](session, account_id)
