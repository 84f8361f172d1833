import time, threading
import pytest, sqlalchemy as sa
from playwright.sync_api import Page, expect
from services.api import live
from tests.stories import *
from tests.browser.test_pages import open_anna, now
orig=live.Watch.look
T=time.time()
LOG=[]
async def look(self):
    try:
        r=await orig(self)
        LOG.append((round(time.time()-T,2),"look",len(self.followers),self.since,r, [f.wake.is_set() for f in self.followers]))
        return r
    except BaseException as e:
        LOG.append(("LOOK ERR", repr(e))); raise
live.Watch.look=look
onews=live.news
def news(conn, asked, place):
    n=onews(conn,asked,place); LOG.append((round(time.time()-T,2),"news",place.tx,len(n.items),n.reset, n.place.tx)); return n
live.news=news
@pytest.mark.parametrize("n", range(8))
def test_x(desk, engine, n):
    LOG.clear()
    put(engine, story())
    open_anna(desk)
    seen=[]
    desk.on("response", lambda r: LOG.append((round(time.time()-T,2), r.url[-60:], r.status)))
    put(engine, [mail("It works again!", conversation="<2@mail.example>", **now())])
    LOG.append((round(time.time()-T,2),"PUT1"))
    try:
        expect(desk.get_by_role("article").first).to_contain_text("It works again!", timeout=8000)
        LOG.append((round(time.time()-T,2),"SEEN"))
        put(engine, [mail("Again!", conversation="<2@mail.example>", **now())])
        LOG.append((round(time.time()-T,2),"PUT2"))
        expect(desk.get_by_role("article").first).to_contain_text("Again!", timeout=8000)
    except AssertionError:
        with engine.connect() as c:
            for r in c.execute(sa.text("select datname,state,backend_xid,backend_xmin,now()-xact_start, left(query,80) from pg_stat_activity where state is not null")): print(r)
            print(c.execute(sa.text("select pg_current_snapshot()::text")).all())
            print(c.execute(sa.text("select tx,event_key,event->'data'->>'text' from events order by tx")).all()[-3:])
        for l in LOG: print(l)
        raise
