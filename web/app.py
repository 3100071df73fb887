"""Assembly of the ASGI application; it knows which packages have doors, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from accounts import api as accounts
from core import db, http, security
from core.mail import delivery as mail_delivery
from core.mail import pages as mail_pages
from core.mail import waking as mail_waking
from core.ui import pages as ui
from directory import api as directory
from directory import (
    dashboard_pages,
    freshness_pages,
    hours_pages,
    offer_pages,
    offer_pages_drop,
    offer_pages_history,
    offer_pages_path,
    pin_pages,
)
from directory import pages as directory_pages
from maps import api as maps
from maps import routes_tiles as maps_tiles
from modules.ads import api as ads
from search_api import compare_pages, engines, favourites_pages, preview_pages, sheet_pages, sheet_pdf, sitemap
from search_api import pages as search_pages
from search_api import routes as search_routes
from search_api import routes_exports as search_exports
from search_api import routes_names as search_names
from search_api import routes_ogc as search_ogc
from search_api import routes_territories as search_territories
from search_api import routes_tiles as search_tiles
from search_api.coverage import pages as coverage_pages
from search_api.coverage import routes as coverage_routes
from search_api.dumps import pages as dump_pages
from search_api.dumps import routes as dump_routes
from search_api.fhir import outcome as fhir_outcome
from search_api.fhir import routes_changes as fhir_changes
from search_api.fhir import routes_export as fhir_export
from search_api.fhir import routes_read as fhir_read
from search_api.fhir.search import routes as fhir_search
from search_api.portals import pages as portal_pages
from search_api.portals import pages_administration as portal_administration
from search_api.portals import pages_widget as portal_widget
from search_api.webhooks import pages as webhook_pages
from web import integrators
from web import pages as web_pages


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    security.require_key()
    await maps.warm()
    engines.start()
    mail_waking.start(mail_delivery.deliver)
    accounts.client_usage.start()
    yield
    await accounts.client_usage.stop()
    await mail_waking.stop()
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
    # An address is compared with every route before its own: what is asked most often comes first.
    ui.mount(app)
    app.include_router(search_routes.router)
    app.include_router(search_pages.router)
    app.include_router(maps.router)
    app.include_router(search_exports.router)
    app.include_router(search_names.router)
    app.include_router(search_territories.router)
    ads.install(app)
    # The layers that a room above draws come before the names that maps knows.
    app.include_router(search_tiles.router)
    app.include_router(maps_tiles.router)
    app.include_router(search_ogc.router)
    app.include_router(fhir_search.router)
    app.include_router(webhook_pages.router)
    app.include_router(coverage_routes.router)
    app.include_router(dump_routes.router)
    app.include_router(fhir_changes.router)
    app.include_router(fhir_export.router)
    app.include_router(fhir_read.router)
    fhir_outcome.install()
    accounts.install(app)
    directory.offer_professions()
    directory.offer_known_people()
    accounts.add_scope_names("rpps", directory.names_of_rpps)
    accounts.add_scope_names("finess", directory.names_of_finess)
    app.include_router(web_pages.router)
    app.include_router(integrators.router)
    app.include_router(offer_pages.router)
    app.include_router(offer_pages_path.router)
    app.include_router(offer_pages_drop.router)
    app.include_router(pin_pages.router)
    app.include_router(freshness_pages.router)
    app.include_router(dashboard_pages.router)
    app.include_router(offer_pages_history.router)
    app.include_router(sheet_pages.router)
    app.include_router(sheet_pdf.router)
    app.include_router(preview_pages.router)
    app.include_router(compare_pages.router)
    app.include_router(favourites_pages.router)
    app.include_router(hours_pages.router)
    app.include_router(coverage_pages.router)
    app.include_router(dump_pages.router)
    app.include_router(portal_pages.router)
    app.include_router(portal_widget.router)
    app.include_router(portal_administration.router)
    app.include_router(sitemap.router)
    app.include_router(mail_pages.router)
    app.include_router(directory_pages.router)
    ui.install(app)
    http.secure(app)
    return app


app = create_app()
