from datetime import date
from core.db import unit_of_work
from modules.ads import search
from modules.ads.search_query import AdQuery, parse
from modules.ads.schemas import Period
from tests.modules.ads.makers import *
async def test_x(places):
    author = await make_person()
    a = await make_ad(author, places=("commune:78361",))
    b = await make_ad(author, places=("departement:78","commune:75112"))
    c = await make_ad(author, places=("france",))
    d = await make_ad(author, places=("commune:78118",))
    async with unit_of_work() as s:
        print(a.id,b.id,c.id,d.id)
        for items in ([], [("place","commune:78361"),("sort","distance")], [("place","departement:78")], [("place","commune:75056"),("place","departement:78"),("sort","distance")],[("place","region:11"),("period","2030-07-15/..")],[("q","remplaçante cabinet")],[("category","remplacement"),("specialty","SM54"),("place","commune:75056"),("radius_km","5"),("sort","distance")]):
            q = parse(items, {})
            f = await search.search(s, q)
            print(items, f.total, f.unplaced, f.ads)
            print(await search.towns_of(s,q,most=3))
