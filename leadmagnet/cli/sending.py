"""sending: stop everything, let it go on, what waits; deliveries: what could not be sent, and once more."""

from __future__ import annotations

from typing import Any

import click

from leadmagnet import store
from leadmagnet.cli.shell import Group, as_json, iso, services, show
from leadmagnet.delivery.again import try_again
from leadmagnet.delivery.pace import standing
from leadmagnet.domain.rates import day_limit
from leadmagnet.hearing import came_lately, refused_lately
from leadmagnet.tick import limits_from

sending = Group("sending", help="Stop all sending, and let it go on.")
deliveries = Group("deliveries", help="Emails that could not be sent.")
#: Emails that one command tries again.
MOST = 1000


@sending.command("stop")
@click.option("--reason", default="stopped by command", help="Shown in the workspace.")
def stop(reason: str) -> None:
    """Stop all sending within a second, until `sending go`."""
    with store.writing(services().engine) as session:
        store.halts.stop_by_hand(session, reason, "command", services().clock.now().real)
    click.echo("Nothing goes out until: flask --app wsgi sending go")


@sending.command("go")
def go() -> None:
    """Let sending go on."""
    with store.writing(services().engine) as session:
        stood = store.halts.go(session)
    click.echo("Sending goes on." if stood else "Nothing stood in its way.")


@sending.command("status")
@as_json
def status(json_out: bool) -> None:
    """Show whether sending goes on, and what waits."""
    now, limits = services().clock.now(), limits_from(services().config)
    with store.reading(services().engine) as session:
        pace = standing(session, limits, now.real)
        halt, waits = store.halts.current(session), store.dead_letters.queue(session, now.course)
        pauses = store.pauses.standing(session)
        came, refused = came_lately(session, now.real), refused_lately(session, now.real)
    found: dict[str, Any] = {"stopped": bool(halt and halt.blocks(now.real)), "reason": halt.reason if halt else ""}
    found |= {"due": waits.due, "held": waits.held, "in_flight": waits.in_flight}
    found |= {"unknown": waits.unknown, "failed": waits.failed}
    found["paused_sequences"] = [
        {"sequence": one.slug, "since": iso(one.since), "by": one.by, "held": one.waiting} for one in pauses
    ]
    found["last_24_hours"] = {
        "sent": came.sent,
        "complained": came.complained,
        "bounced": came.bounced,
        "refused": refused.number,
        "refused_because": refused.detail,
    }
    found["oldest_due"] = iso(waits.oldest) if waits.oldest else None
    found["most_a_second"] = limits.per_second
    found["most_today"] = most = day_limit(limits, pace.ramp_began, pace.day)
    found["sent_today"] = pace.sent if most is not None else None
    state = f"Stopped: {found['reason']}" if found["stopped"] else "Sending goes on."
    words = f"{waits.due} due, {waits.held} held, {waits.in_flight} on their way, {waits.unknown} unknown"
    today = f" {pace.sent} of at most {most} today." if most is not None else ""
    resting = "".join(f" {one.slug} is paused since {iso(one.since)}: {one.waiting} held." for one in pauses)
    back = f" Of the last day {came.complained} complaints, {came.bounced} bounces, {refused.number} refused."
    show(found, json_out, f"{state} {words}, {waits.failed} failed.{today}{resting}{back}")


@deliveries.command("failed")
@as_json
def failed(json_out: bool) -> None:
    """List the newest emails that failed, or of which nobody knows, with the reason."""
    with store.reading(services().engine) as session:
        rows = store.dead_letters.page(session, 100)
    found = [
        {"id": row.id, "subscriber": row.subscriber_id, "kind": row.kind, "status": row.status, "reason": row.detail}
        for row in rows
    ]
    lines = [
        f"{one['id']:>9}  {one['status']:8} {one['kind']:12} subscriber {one['subscriber']}  {one['reason']}"
        for one in found
    ]
    show({"deliveries": found}, json_out, "\n".join(lines) or "None.")


@deliveries.command("retry")
@click.argument("ids", nargs=-1, type=int)
@click.option("--reason", help="All failed ones of which exactly this was said.")
def retry(ids: tuple[int, ...], reason: str | None) -> None:
    """Try failed emails once more: those with these IDS, or all with one reason."""
    now = services().clock.now()
    with store.writing(services().engine) as session:
        wanted = [*ids, *(store.dead_letters.same_reason(session, reason, MOST) if reason else ())]
        done, left = try_again(session, wanted, now)
    why = "not failed any more, a reminder, another email goes out that day, or its sequence is paused"
    click.echo(f"{done} due again. {left} left: {why}.")
