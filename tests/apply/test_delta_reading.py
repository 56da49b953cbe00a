import pytest, datetime as dt
from tests.apply.wire import *
from tests.store.world import a_school, NOW
from rollbook.store import mirrored
from rollbook.acts.connections import opened as conn_opened, connection_of
from rollbook.store.models import *
def same(tenant, reader):
    read = reader.users().sort("object_id"); mine = mirrored.users(tenant, None, reader.mark_property, reader.role_holders()).sort("object_id")
    assert read.equals(mine)
    g = reader.groups().sort("object_id"); m = mirrored.groups(tenant, None).sort("object_id")
    assert g.equals(m), (g, m)
    r = reader.memberships(g["object_id"].to_list()).sort("*" if False else ["group_object_id","user_object_id","relation"])
    assert r.equals(mirrored.members(tenant).sort(["group_object_id","user_object_id","relation"]))
def test_it(store, tenant):
    inst = connected(a_school(), tenant)
    synchronized(inst)
    c = connection_of(inst)
    with conn_opened(c, Frozen()) as o:
        print(mirrored.catch_up(c.tenant, o.reader, NOW))
        same(c.tenant, o.reader)
        assert mirrored.catch_up(c.tenant, o.reader, NOW) == 0
        u = users_of(tenant)[0]; v = users_of(tenant)[1]
        control(tenant, "/edit", {"user": u["id"], "set": {"jobTitle": "Boss", "department": None}})
        control(tenant, "/delete", {"user": v["id"]})
        print(mirrored.catch_up(c.tenant, o.reader, NOW))
        same(c.tenant, o.reader)
        control(tenant, "/edit", {"user": u["id"], "set": {"jobTitle": None}})
        g=[g for g in tenant.directory.groups.values()][0]
        control(tenant, "/people", {"group": g["id"], "user": u["id"], "remove": True})
        print(mirrored.catch_up(c.tenant, o.reader, NOW))
        same(c.tenant, o.reader)
        control(tenant, "/advance", {"seconds": 8*86400})
        n = mirrored.catch_up(c.tenant, o.reader, NOW)
        assert n == 0, n
        same(c.tenant, o.reader)
