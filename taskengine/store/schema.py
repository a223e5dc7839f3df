"""The number of the stored form, which a fleet agrees on before anybody reads or writes.

The first leader stores :data:`SCHEMA`; whoever connects compares, and a leader does again when its term begins, for
two versions may both have found an empty server. A client, worker or coordinator that does not fit is refused with a
sentence that says what to install.

The law: who changes what is stored (a key's type, a field, what a value means) raises :data:`SCHEMA` by one and says
in :data:`FORMS` what changed. Either the scripts read the older form, or :data:`OLDEST` is raised as well and it is
refused. A field that older versions do not look at, and whose lack the newer ones understand, changes nothing.

An older form that is read stays as it is until a coordinator of the newer version leads: that one raises the number,
and from then on older versions are refused. So coordinators are replaced last.
"""

from __future__ import annotations

from collections.abc import Mapping

from taskengine.errors import SchemaMismatchError

#: What changed with each number, and how what was stored before is read.
FORMS: Mapping[int, str] = {
    1: "the first that was numbered; what stands there without a number is taken for it",
    2: "keys, fields and decisions are called by the words of the field (docs/renamed.md); form 1 is refused",
}
#: What this version writes, and the oldest form that it reads.
SCHEMA, OLDEST = max(FORMS), 2


def refuse_other_form(stored: str | bytes | int | None) -> None:
    """Raise SchemaMismatchError unless this version reads what is *stored* as this number; None: nobody led yet."""
    if stored is None:
        return
    text = stored.decode(errors="replace") if isinstance(stored, bytes) else str(stored)
    found = int(text) if text.isascii() and text.isdecimal() else 0
    if not OLDEST <= found <= SCHEMA:
        raise SchemaMismatchError(text, oldest=OLDEST, newest=SCHEMA)
