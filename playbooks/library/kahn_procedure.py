#!/usr/bin/python
"""Moves a procedure from its old server to its new one, and back. Runs on the controller, acts through ssh."""

from __future__ import annotations

import time
from contextlib import suppress

from ansible.module_utils import kahn_watch
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_crew import Crew
from ansible.module_utils.kahn_outcome import Trouble, conclude
from ansible.module_utils.kahn_servers import databases_of
from ansible.module_utils.kahn_talk import patiently, relay

DOCUMENTATION = """
module: kahn_procedure
short_description: Moves a procedure from its old server to its new one, and back
description: >-
  Runs on the controller and keeps one session to each machine for the whole step. `fit` looks only; `prepared` makes
  the service account and lowers the time to live of the names; `copied` carries files while users work; `waited` looks
  whether the old time to live is over; `moved` stops, carries the rest, compares, starts, and switches the gateway;
  `proven` asks as a user does; `asked` does so too, and counts who asks the old server; `settled` ends that, and gives
  the names their time to live again. `returned`, `uncopied` and `unprepared` are their inverses.
  `opened` counts open files.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state:
    type: str
    choices: [fit, prepared, unprepared, copied, uncopied, waited, moved, returned, proven, asked, settled, opened]
    required: true
    description: What to do
  settings: {type: dict, required: true, description: The procedure as the policy describes it}
  ssh: {type: dict, required: true, description: "ssh argument lists of source, target and gateway"}
  machines: {type: dict, required: true, description: "Their addresses and names"}
  share: {type: bool, default: false, description: "Files are what moves: their owners and ACLs must fit, none be open"}
  tries: {type: int, default: 20, description: How often the procedure is asked (proven)}
  known: {type: list, elements: list, default: [], description: "Address and name of the inventory's machines"}
"""
START_TRIES = 100
"""Questions, 0.1 s apart, until a service that was started must answer."""


# ---------------------------------------------------------------------------- steps


def fit(crew):
    """Nothing is touched: can it move?"""
    source, target, gate = crew.open_all()
    now = time.time()
    found = source.ask("survey", now=now)
    need = {"bytes": found["bytes"], "entries": found["entries"]}
    target.ask("fit", now=now, need=need, servers=found["servers"])
    if target.ask("look")["runs"] and gate.ask("look")["truth"] != "new":
        says = "The service already runs on the new server. Stop it there and keep it from starting."
        raise Trouble("two_writers", says)
    if crew.is_share:
        need.update(target.ask("share_fit", **source.ask("share")))
    _refuse_silent(crew)
    gate.ask("fit")
    gate.ask("serves", where="gateway", tries=2)
    crew.partners().fit()
    return False, need


def _refuse_silent(crew):
    """What the old server reaches, the new one must reach too. Raises Trouble."""
    crew.source.request("reach")
    crew.target.request("reach")
    there, here = crew.source.answer()["silent"], crew.target.answer()["silent"]
    lost = [one for one in here if one not in there]
    if lost:
        says = "The new server does not reach what the old one reaches: " + ", ".join(lost[:5]) + "."
        raise Trouble("interface_unreachable", says, interfaces=lost[:20])


def opened(crew):
    """Nothing is touched: who has which file open, to be told before the barrier."""
    return False, crew.source.ask("opened")


def prepared(crew):
    """The service account is on the new server, and resolvers keep the procedure's names only shortly."""
    found = crew.source.ask("survey", now=time.time())
    made = crew.target.ask("db_accounts_make", wanted=found["servers"])["changed"]
    made = crew.target.ask("prepare", account=found["account"])["changed"] or made
    return (_writes_names(crew) and crew.gate.ask("names_lower")["changed"]) or made, {}


def _writes_names(crew):
    return bool(crew.settings.get("dns_key_file"))


def unprepared(crew):
    """It is not, and the names live as long as before."""
    crew.target.ask("unprepare")
    if _writes_names(crew):
        crew.gate.ask("names_restore", side="old")
    return True, {}


def waited(crew):
    """Nothing is touched: no resolver can have a name with the time to live that it had before."""
    if _writes_names(crew):
        crew.gate.ask("names_waited")
    return False, {}


def copied(crew):
    """The bulk is on the new server; users go on working. What falls silent in the midst is tried again."""
    _refuse_moved(crew.gate.ask("look"))
    crew.source.ask("look")
    crew.target.ask("look")
    return patiently(lambda: _copied(crew), anew=crew.anew)


def _copied(crew):
    if not crew.target.ask("look")["brought"]:
        crew.source.ask("anew")
    told = carry(crew.source, crew.target, crew.tops, drains=False)
    carry_databases(crew.source, crew.target, databases_of(crew.settings))  # proves that they can be restored there
    crew.target.ask("jobs_take", **crew.source.ask("jobs_give"))
    _address(crew)
    _agree(crew, giver=crew.source, taker=crew.target)
    return True, told


def uncopied(crew):
    """The new server holds nothing of it any more."""
    _refuse_moved(crew.gate.ask("look"))
    crew.target.ask("remove")
    crew.source.ask("anew")
    return True, {}


def _refuse_moved(seen):
    if seen["writer"] in ("none", "new"):
        raise Trouble("already_moved", "The procedure is being moved or has moved: take the switch back first.")


def moved(crew):
    """The new server serves, and only it; a failure before that opens the old one again at once."""
    gate = crew.open_all()[2]
    seen = _look(crew)
    if seen["truth"] == "new":
        return _finish_move(crew, seen)
    if _writes_names(crew) and not seen["writer"]:
        gate.ask("names_waited")
    crew.partners().ready()  # one that was lost meanwhile is found while users still work
    began = time.monotonic()
    gate.ask("quiet", begin=True)
    gate.ask("record", writer="none", truth="old")
    try:
        told = _cut_over(crew)
    except Trouble as trouble:
        trouble.facts["restored"] = _restored(crew)
        raise
    told.update(outage_s=round(time.monotonic() - began, 2), **_finish(crew))
    return True, told


def _look(crew):
    """The record and both sides, asked at once. Raises Trouble when both would write."""
    seen = crew.gate.ask("look")
    crew.source.request("look")
    crew.target.request("look")
    seen["source"], seen["target"] = crew.source.answer(), crew.target.answer()
    if seen["source"]["runs"] and seen["target"]["runs"]:
        says = "Both servers run the service. Stop the wrong one; nothing was touched."
        raise Trouble("two_writers", says, writer=seen["writer"])
    if seen["truth"] == "new" and seen["source"]["runs"]:
        says = "The record says that the new server writes, but the old one runs. Stop it; nothing was touched."
        raise Trouble("two_writers", says, writer=seen["writer"])
    if seen["truth"] != "new" and seen["target"]["runs"] and not seen["source"]["fenced"]:
        says = "The service already runs on the new server. Stop it there; nothing was touched."
        raise Trouble("two_writers", says, writer=seen["writer"])
    return seen


def _cut_over(crew):
    """Barrier, the rest, comparison, start, the question of a user, switch. Users wait meanwhile."""
    source, target, gate = crew.source, crew.target, crew.gate
    target.ask("fence")
    fenced = _fenced(crew, source)
    before = source.ask("prints")  # puts the databases at rest, too: before anything is carried
    told = carry(source, target, crew.tops)
    target.ask("jobs_take", **source.ask("jobs_give"))
    names = databases_of(crew.settings)
    carry_databases(source, target, names)
    told["databases"] = compare(before, target.ask("prints", arrived=names))
    target.ask("db_swap", names=names)
    _address(crew)
    _agree(crew, giver=source, taker=target)
    target.ask("open", **fenced)
    gate.ask("serves", where="new", tries=START_TRIES)
    gate.ask("record", writer="new", truth="new")
    gate.ask("route", to="new")
    crew.partners().lead_to("new")
    return told


def _fenced(crew, side):
    """The barrier on a side, and where files move, nobody has one open behind it."""
    told = side.ask("fence")
    if crew.is_share:
        side.ask("still")
    return told


def _finish(crew):
    """After the switch: asked through the gateway, and the monitoring told. Nothing here takes the switch back."""
    crew.gate.ask("serves", where="gateway", tries=START_TRIES)
    code = crew.gate.ask("quiet", begin=False)["code"]
    for side, what in ((crew.target, "db_tidy"), (crew.source, "forget_opened")):
        with suppress(Trouble):  # each for itself: names of people stay nowhere because a database could not be dropped
            side.ask(what)
    return {"monitoring": "not told" if code else "told"}


def _finish_move(crew, seen):
    """The record says new: whatever a killed controller left out is done."""
    changed = not seen["target"]["runs"] or seen["route"] != "new" or seen["writer"] != "new"
    if changed:
        crew.target.ask("open", **crew.source.ask("fence"))
        crew.gate.ask("serves", where="new", tries=START_TRIES)
        crew.gate.ask("record", writer="new", truth="new")
        crew.gate.ask("route", to="new")
    changed = crew.partners().lead_to("new") or changed
    return changed, _finish(crew)


def _restored(crew):
    """Open the old server again after a failed switch; whether it serves."""
    try:
        returned(crew)
    except Trouble:
        return False
    return True


def returned(crew):
    """The old server serves, and only it; what users wrote on the new one meanwhile is carried back."""
    source, _, gate = crew.open_all()
    seen = gate.ask("look")
    if not seen["writer"]:
        return False, {}
    told = {}
    if seen["writer"] != "old":
        told = _bring_back(crew, seen)
        gate.ask("record", writer="none", truth="old")
    source.ask("open")
    gate.ask("record", writer="old", truth="old")
    gate.ask("route", to="old")
    gate.ask("serves", where="gateway", tries=START_TRIES)
    partners = crew.partners()  # only now: one that is lost keeps nobody from working
    partners.lead_to("old")
    partners.forget()
    gate.ask("forget")
    gate.ask("quiet", begin=False)
    return True, told


def _bring_back(crew, seen):
    """Stop the new server; if it had the last word, carry what it wrote and compare."""
    source, target, gate = crew.source, crew.target, crew.gate
    gate.ask("record", writer="none", truth=seen["truth"])
    told = {}
    if seen["truth"] == "new":
        _fenced(crew, target)
        target.ask("idle")
        source.ask("fence")
        before = target.ask("prints")
        told = carry(target, source, crew.both_ways)
        mine = source.ask("prints")["databases"]
        names = [one for one in databases_of(crew.settings) if mine[one] != before["databases"][one]]
        carry_databases(target, source, names)
        told["databases"] = compare(before, source.ask("prints", arrived=names))
        source.ask("db_swap", names=names)
        _agree(crew, giver=target, taker=source)
    else:
        # Nobody was ever led there: a new server that is lost must not keep the old one from serving.
        try:
            target.ask("fence")
            target.ask("idle")
            target.ask("agree", gave=False)  # an undo of the copy must know what the started service wrote
        except Trouble as trouble:
            if trouble.cause not in ("target_unreachable", "target_failed"):
                raise
            told["target"] = "not reached"
    return told


def carry(giver, taker, tops, *, drains=True):
    """Stream what changed from one to the other; large files by their changed blocks."""
    seen = giver.ask("changes", tops=tops)
    known = taker.ask("known", paths=seen["large"])["known"] if seen["large"] else {}
    give = {"what": "give", "tops": tops, "known": known}
    gave, took = relay(giver, taker, give, {"what": "take", "tops": tops}, drains=drains)
    return {"changed": gave["changed"], "gone": gave["gone"], "bytes": gave["bytes"], "files": took["files"]}


def carry_databases(giver, taker, names):
    """Dump databases of servers on one side and restore them on the other."""
    words = giver.ask("db_words")["words"] if names else {}
    for name in names:
        kind, _, bare = name.partition(" ")
        told = {"what": "db_take", "name": name, "words": words[kind][bare]}
        relay(giver, taker, {"what": "db_give", "name": name}, told)


def compare(one, other):
    """Both fingerprints are equal: (tables, rows) per database. Raises Trouble naming what differs."""
    if one["files"] != other["files"]:
        raise Trouble("fingerprint_differs", "Files of the procedure differ between the two servers.")
    told = {}
    for name, found in one["databases"].items():
        against = other["databases"].get(name, {"schema": "", "tables": {}})
        tables = sorted(found["tables"].keys() | against["tables"].keys())
        wrong = [t for t in tables if found["tables"].get(t) != against["tables"].get(t)]
        if wrong or found["schema"] != against["schema"]:
            says = f"The database {name} differs between the two servers: {', '.join(wrong[:5]) or 'its schema'}."
            raise Trouble("fingerprint_differs", says, tables=wrong[:20])
        told[name] = {"tables": len(tables), "rows": sum(rows for rows, _ in found["tables"].values())}
    return told


def _agree(crew, giver, taker):
    giver.ask("agree", gave=True)
    taker.ask("agree", gave=False)


def _address(crew):
    """The old server's address in the configuration becomes the new one's."""
    machines = crew.asked["machines"]
    pairs = [[machines["source"]["address"], machines["target"]["address"]], *crew.settings["replace"]]
    crew.target.ask("address", pairs=pairs)


def proven(crew):
    """Only the new server may write, the gateway leads there, and it answers again and again."""
    crew.open_all()
    seen = _look(crew)
    if (seen["writer"], seen["route"]) != ("new", "new") or not seen["target"]["runs"] or not seen["source"]["fenced"]:
        says = "The record, the gateway and the servers do not agree that the new server serves."
        raise Trouble("not_moved", says, writer=seen["writer"], route=seen["route"])
    _refuse_silent(crew)
    for _ in range(crew.asked["tries"]):
        crew.gate.ask("serves", where="gateway", tries=1)
    crew.gate.ask("names_lead", to="new")
    crew.partners().proven()
    return False, {"asked": crew.asked["tries"]}


def asked(crew):
    """As `proven`, while the batch soaks; and who asks the old server, counted from the first time on."""
    told = proven(crew)[1]
    return False, dict(
        told, asked_old=kahn_watch.answer(crew.source.ask("asked"), crew.asked.get("known"), time.time())
    )


def settled(crew):
    """As `asked`, at the end of the last soak: from now on the names live as long as before, and nobody counts."""
    told = asked(crew)[1]
    changed = _writes_names(crew) and crew.gate.ask("names_restore", side="new")["changed"]
    crew.source.ask("unasked")
    return changed, told


_STATES = (fit, prepared, unprepared, copied, uncopied, waited, moved, returned, proven, asked, settled, opened)
ACTS = {one.__name__: one for one in _STATES}


def main():
    """Entry point."""
    given = {"type": "dict", "required": True}
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": list(ACTS), "required": True},
            "settings": given,
            "ssh": given,
            "machines": given,
            "share": {"type": "bool", "default": False},
            "tries": {"type": "int", "default": 20},
            "known": {"type": "list", "elements": "list", "default": []},
        },
        supports_check_mode=True,
    )
    asked = module.params

    def act():
        with Crew(asked) as crew:
            return (fit if module.check_mode else ACTS[asked["state"]])(crew)

    conclude(module, act)


if __name__ == "__main__":
    main()
