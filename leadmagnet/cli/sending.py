"""sending: stop everything, let it go on, what waits; deliveries: what could not be sent, and once more."""

from __future__ import annotations

from typing import Any

import click

from leadmagnet import store
from leadmagnet.cli.shell import MOST_ID, USAGE, Failure, Group, as_json, iso, services, show
from leadmagnet.delivery.again import BATCH, Again, try_again, try_matching
from leadmagnet.delivery.pace import standing
from leadmagnet.domain.failures import may_pass, reason_of
from leadmagnet.domain.rates import day_limit
from leadmagnet.from_config import limits_from
from leadmagnet.hearing import came_lately, refused_lately

sending = Group("sending", help="Stop all sending, and let it go on.")
deliveries = Group("deliveries", help="Emails that could not be sent.")
#: Emails that are listed, and the newest ones that are counted by their reason.
SHOWN, COUNTED = 100, 10_000


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
    """List the newest emails that failed, and those of which nobody knows, with the reason."""
    with store.reading(services().engine) as session:
        rows = [*store.dead_letters.unknown(session, SHOWN), *store.dead_letters.failed(session, SHOWN)]
    found = [
        {"id": row.id, "subscriber": row.subscriber_id, "kind": row.kind, "status": row.status, "reason": row.detail}
        for row in rows
    ]
    lines = [
        f"{one['id']:>9}  {one['status']:8} {one['kind']:12} subscriber {one['subscriber']}  {one['reason']}"
        for one in found
    ]
    show({"deliveries": found}, json_out, "\n".join(lines) or "None.")


@deliveries.command("reasons")
@as_json
def reasons(json_out: bool) -> None:
    """Count the failed emails by what was said of them, the newest 10,000."""
    counted: dict[str, dict[str, Any]] = {}
    with store.reading(services().engine) as session:
        for same in store.dead_letters.newest(session, COUNTED):
            reason = reason_of(same.detail)
            one = counted.setdefault(reason, {"reason": reason, "emails": 0, "may_pass": may_pass(same.detail)})
            one["emails"] += same.emails
    found = sorted(counted.values(), key=lambda one: (-one["emails"], one["reason"]))
    lines = [f"{one['emails']:>9}  {'may pass  ' if one['may_pass'] else '          '}{one['reason']}" for one in found]
    show({"reasons": found}, json_out, "\n".join(lines) or "None.")


@deliveries.command("retry")
@click.argument("ids", nargs=-1, type=click.IntRange(1, MOST_ID))
@click.option("--reason", help="All failed ones with this reason, as `deliveries reasons` prints it.")
@click.option("--all", "every", is_flag=True, help="All that used up their tries while the provider was away or busy.")
@as_json
def retry(ids: tuple[int, ...], reason: str | None, every: bool, json_out: bool) -> None:
    """Try failed emails once more: those with these IDS, all with one reason, or all that may go through by now."""
    engine, clock, done = services().engine, services().clock.now, Again()
    if not ids and reason is None and not every:
        raise Failure("deliveries retry: name IDS, a --reason, or --all.", USAGE)
    for start in range(0, len(ids), BATCH):
        with store.writing(engine) as session:
            done.add(try_again(session, ids[start : start + BATCH], clock()))
    if reason is not None or every:
        wanted = [reason_of(reason)] if reason is not None else []
        done.add(
            try_matching(engine, lambda said: reason_of(said) in wanted or (every and may_pass(said)), clock, None)
        )
    left = "".join(f" {count} left: {why.replace('_', ' ')}." for why, count in sorted(done.left.items()))
    show(
        {"due": done.due, "left": {str(why): count for why, count in done.left.items()}},
        json_out,
        f"{done.due} due again.{left}",
    )
