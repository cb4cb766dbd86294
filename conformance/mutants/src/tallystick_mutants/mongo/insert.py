"""Bugs in inserts: batches of several writes, hidden jobs before the commit, and keys that are checked first."""

from tallystick_conformance import Mutant

from ..patch import MONGO

broken, edit, edited, put = MONGO.broken, MONGO.edit, MONGO.edited, MONGO.put

_BEGIN = "staging.begin(store, batch, size)"
_RESOLVE = """
    for other in batches - {batch}:
        _resolve(store, other)
"""
_LOOKS_FOR_THE_LOST = """
        if store.session is not None or len(_inserted_by(store, call, ids)) < len(ids):
            raise
"""
_NOTE = """
        known_queues.make_known(store, set(queues.values()))
"""
_NOTED = "known_queues.make_known(store, new)"
_COMMIT = "staging.commit(store, batch, new_queues=new_queues)"
_END = "_end(store, batch, queues, new_queues=new_queues)"
_REVEAL = "staging.reveal(store, batch, queues, new_queues=new_queues)"
_SETTLED_ONLY = '[document for document in found if document.get("state") != HIDDEN]'
_ANY = '[one | {"state": "pending"} for one in found if batch is None or one.get("batch") != batch]'
_BY_OTHERS = "if not staging.is_there(store, batch):"
_SURE = f"{_BY_OTHERS}\n            raise Unavailable('the connection was lost')"
_LATE_COMMIT = "if staging.take_back(store, batch):"

_REVEAL_ALL = "store.jobs.update_many(queries.among(list(queues), staged(batch)), REVEALED)"
_REVEAL_SOME = """
    for some in sliced(list(queues)):
        store.jobs.update_many(queries.among(some, staged(batch)), REVEALED)
"""
_IN_PARTS = put("guarded_writes.SLICE", lambda _: 2)


MUTANTS: tuple[Mutant, ...] = (
    broken("stores batches unstaged", "CRASH-02", "The jobs of a batch are stored in several independent writes.",
           "H2", edit("inserting.insert", {"if len(records) == 1 and not new_queues:": "if records:"}), _IN_PARTS),
    broken("decides before it has stored", "CRASH-02", "The batch is committed before its last jobs are stored.",
           "H2", edit("inserting._try_to_store", {_BEGIN: f"{_BEGIN}; {_COMMIT}", _END: _REVEAL}), _IN_PARTS),
    broken("shows what is staged", "CRASH-02", "Jobs of an uncommitted batch are visible.", "E5",
           edit("documents.inserted", {"if batch:": "if False:"}),
           put("staging.staged", lambda _: lambda batch: {"batch": batch}), _IN_PARTS),
    broken("trusts what is staged", "CRASH-04",
           "A job of an uncommitted batch counts as a duplicate, although it may be taken back.", "F2",
           edit("insert_or_find._duplicates", {_RESOLVE: "\n", _SETTLED_ONLY: _ANY}), _IN_PARTS),
    edited("takes back what was decided", "FAULT-03", "staging.take_back", "if was_open or not is_there(store, batch):",
           "if True:", "N1", "A batch is taken back after a lost reply, although it was committed."),
    edited("is sure of a lost commit", "FAULT-03", "inserting._end", _LATE_COMMIT, "if True:", "M10",
           "A commit whose reply was lost raises Unavailable, although the batch may be stored."),
    edited("is sure of what others ended", "FAULT-08", "inserting._end", _BY_OTHERS, _SURE, "M10",
           "After a lost reply to the commit, a batch that a rescue has finished raises Unavailable."),
    edited("takes the lost for the absent", "FAULT-03", "insert_or_find.put_documents", _LOOKS_FOR_THE_LOST,
           "\n        raise Unavailable('the connection was lost')\n", "M10",
           "An insert whose reply was lost raises Unavailable."),
    edited("fails on a duplicate", "INSERT-04", "insert_or_find.put_documents",
           "duplicates = [ids[n] for n in rejected(exc)]", "raise", "M10",
           "A repeated insert with the same ids raises the duplicate key error."),
    edited("stops at a duplicate", "INSERT-03", "insert_or_find.put_documents", "ordered=False", "ordered=True", "D14",
           "An ordered bulk stops at the first duplicate, and later jobs are returned as stored."),
    broken("looks for keys, then takes them", "SCHED-04",
           "One command checks a key, and another stores the job, without a unique index.", "F1",
           edit("insert_or_find.insert_or_find", {"_put if store.session is None else _find_and_put": "_find_and_put"}),
           put("schema.INDEXES", lambda indexes: [index for index in indexes if not index.document.get("unique")])),
    edited("takes queues for known", "QUEUE-01", "inserting.insert", "and not new_queues", "", "E7",
           "The insert of a single job does not make its queue known."),
    edited("reveals in parts", "CRASH-02", "staging.reveal", _REVEAL_ALL, _REVEAL_SOME, "H2",
           "The jobs of a committed batch become visible in several writes, and the client may die in between."),
    broken("notes queues last", "CRASH-02",
           "New queues become known after their jobs are visible, and the client may die in between.", "E7",
           edit("staging.reveal", {
               "if new_queues:": "new = set(queues.values()) if new_queues else set()",
               _NOTE: "\n",
               "store.batches.delete_one": f"{_NOTED}; store.batches.delete_one",
           })),
)  # fmt: skip
