"""Assembly of the ASGI application; it knows which packages have doors, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from accounts import api as accounts
from core import db, http
from core.ui import pages as ui
from directory import offer_pages, offer_pages_path
from maps import api as maps
from maps import routes_tiles as maps_tiles
from search_api import engines, sheet_pages
from search_api import pages as search_pages
from search_api import routes as search_routes
from search_api import routes_exports as search_exports
from search_api import routes_ogc as search_ogc
from search_api import routes_tiles as search_tiles
from search_api.coverage import pages as coverage_pages
from search_api.coverage import routes as coverage_routes
from web import pages as web_pages


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    await maps.warm()
    engines.start()
    yield
    engines.stop()
    await db.dispose()


def create_app() -> FastAPI:
    """Return the whole application: JSON API, pages, static files, health."""
    app = FastAPI(
        title="Repère",
        summary="Répertoire opérationnel de l’offre de santé",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
    )
    http.install(app)
    http.add_readiness("search", engines.readiness)
    accounts.install(app)
    app.include_router(search_exports.router)
    app.include_router(maps.router)
    app.include_router(search_routes.router)
    # The layers that a room above draws come before the names that maps knows.
    app.include_router(search_tiles.router)
    app.include_router(maps_tiles.router)
    app.include_router(search_ogc.router)
    app.include_router(coverage_routes.router)
    app.include_router(web_pages.router)
    app.include_router(offer_pages.router)
    app.include_router(offer_pages_path.router)
    app.include_router(search_pages.router)
    app.include_router(sheet_pages.router)
    app.include_router(coverage_pages.router)
    ui.install(app)
    return app


app = create_app()
