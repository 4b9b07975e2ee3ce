"""signups: those that are held because very many came at once; let them through, or throw them away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from leadmagnet import store
from leadmagnet.cli.shell import MOST_ID, USAGE, Failure, Group, as_json, iso, services, show
from leadmagnet.store.held import Pick
from leadmagnet.store.signups import SignUp

signups = Group("signups", help="Sign-ups that are held because very many came at once.")
#: Held ones that are listed, and the places named.
LISTED, PLACES = 100, 10


@signups.command("held")
@as_json
def held(json_out: bool) -> None:
    """List the newest held sign-ups, and where most came from."""
    with store.reading(services().engine) as session:
        rows = store.held.page(session, Pick(), LISTED)
        found: dict[str, Any] = {"held": store.held.count(session)}
        for name, column in (("networks", SignUp.network), ("forms", SignUp.form), ("pages", SignUp.page)):
            found[name] = dict(store.held.most(session, column, PLACES))
    found["newest"] = [_shown(row) for row in rows]
    places = [
        f"{number:>9}  {name or 'not known'}"
        for place in ("networks", "forms")
        for name, number in found[place].items()
    ]
    lines = [
        f"{one['id']:>9}  {one['at']}  {one['email']}  {one['network']}  {one['reason']}" for one in found["newest"]
    ]
    show(found, json_out, "\n".join([f"{found['held']} held.", *places, *lines]))


def _shown(row: SignUp) -> dict[str, Any]:
    shown = {"id": row.id, "email": row.email, "form": row.form, "network": row.network, "page": row.page}
    return shown | {"at": iso(row.asked_at), "reason": row.held, "waits_its_turn": row.again_at is not None}


def _picking(function: Callable[..., None]) -> Callable[..., None]:
    function = click.option("--form", help="All that came by this form.")(function)
    function = click.option("--network", help="All from this network, as the list names it.")(function)
    function = click.option("--all", "everything", is_flag=True, help="All that are held.")(function)
    return click.argument("ids", nargs=-1, type=click.IntRange(1, MOST_ID))(function)


def _picks(ids: tuple[int, ...], everything: bool, network: str | None, form: str | None) -> list[Pick]:
    narrowed = network is not None or form is not None
    if bool(ids) + everything + narrowed != 1:
        raise Failure("signups: name IDS, or --all, or --network or --form.", USAGE)
    return [Pick(id=number) for number in ids] or [Pick(network=network, form=form)]


@signups.command("release")
@_picking
@as_json
def release(ids: tuple[int, ...], everything: bool, network: str | None, form: str | None, json_out: bool) -> None:
    """Let held sign-ups through: each gets its confirmation, past all caps."""
    picks = _picks(ids, everything, network, form)
    with store.writing(services().engine) as session:
        done = sum(store.held.release(session, pick, "command") for pick in picks)
    show({"released": done}, json_out, f"{done} let through.")


@signups.command("discard")
@_picking
@as_json
def discard(ids: tuple[int, ...], everything: bool, network: str | None, form: str | None, json_out: bool) -> None:
    """Throw held sign-ups away: nothing is sent."""
    picks, now = _picks(ids, everything, network, form), services().clock.now()
    with store.writing(services().engine) as session:
        done = sum(store.held.discard(session, pick, "command", now.real) for pick in picks)
    show({"discarded": done}, json_out, f"{done} discarded.")
