"""A finished run as JSON and as words. Must not know: how the figures came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from leadmagnet.simulation.checks import Broken
from leadmagnet.simulation.course import Plan
from leadmagnet.simulation.figures import BOUNDS, MORE, Figures
from leadmagnet.simulation.queues import Depth

KINDS = ("confirmation", "already_subscribed", "video", "finished", "reminder")


def as_json(plan: Plan, run: Mapping[str, Any], figures: Figures) -> dict[str, Any]:
    """Return everything that a run brought out; `run` holds its counts of deeds, of trouble, and the queue's depths."""
    return {
        "subscribers": plan.subscribers,
        "days": plan.days,
        "seed": plan.seed,
        "begin": _iso(plan.begin),
        "emails": sum(figures.kinds.values()),
        "kinds": {kind: figures.kinds[kind] for kind in KINDS},
        "per_day": list(_per_day(run["depths"], figures)),
        "per_hour": [figures.hours[hour] for hour in range(24)],
        "lateness": {words: figures.lateness[words] for words in [*(words for _, words in BOUNDS), MORE]},
        "latest_seconds": round(figures.latest),
        "people": _sorted(figures.people),
        "enrollments": _sorted(figures.enrollments),
        "deliveries": _sorted(figures.rows),
        "sent_again": figures.copies_sent,
        "taken_twice": figures.copies,
        "deeds": _sorted(run["deeds"]),
        "trouble": _sorted(run["trouble"]),
        "passes": run["passes"],
        "broken": dict(figures.broken),
        "examples": [_example(found) for found in sorted(figures.examples, key=lambda found: found.rule)],
    }


def _per_day(depths: Mapping[Any, Depth], figures: Figures) -> Iterator[dict[str, Any]]:
    for day in sorted(depths.keys() | figures.days.keys()):
        kinds: Mapping[str, int] = figures.days.get(day, {})
        depth = depths.get(day, Depth())
        emails = sum(kinds.values())
        yield (
            {"day": day.isoformat(), "emails": emails}
            | {kind: kinds.get(kind, 0) for kind in KINDS}
            | {
                "queue": depth.before,
                "left_over": depth.after,
            }
        )


def _example(found: Broken) -> dict[str, str]:
    at = _iso(datetime.fromtimestamp(found.at, UTC)) if found.at else "at the end"
    return {"rule": found.rule, "address": found.address, "at": at, "words": found.words}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}


def as_words(found: Mapping[str, Any]) -> str:
    """Return the same in words."""
    return "\n".join(_lines(found))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['subscribers']} subscribers, {found['days']} days from {found['begin']}, seed {found['seed']}"
    yield ""
    yield f"{'day':<12}{'emails':>8}{'confirm':>9}{'videos':>8}{'closing':>9}{'remind':>8}{'queue':>8}{'left':>7}"
    for day in found["per_day"]:
        asked = day["confirmation"] + day["already_subscribed"]
        yield (
            f"{day['day']:<12}{day['emails']:>8}{asked:>9}{day['video']:>8}{day['finished']:>9}{day['reminder']:>8}"
            f"{day['queue']:>8}{day['left_over']:>7}"
        )
    yield f"{'in all':<12}{found['emails']:>8}"
    yield ""
    yield from _hours(found["per_hour"])
    yield ""
    yield "Late, by the ledger's own instant: " + _counts(found["lateness"], "within ")
    yield f"The latest: {found['latest_seconds']} seconds."
    for title in ("people", "enrollments", "deliveries", "deeds", "trouble"):
        yield f"{title.capitalize()}: {_counts(found[title])}"
    yield f"Sent once more without a known answer: {found['sent_again']}; of these taken twice: {found['taken_twice']}."
    yield ""
    yield from _promises(found)


def _hours(hours: list[int]) -> Iterator[str]:
    yield "Emails by the hour of the day (UTC):"
    for start in (0, 12):
        yield "  " + "  ".join(f"{hour:02} {hours[hour]}" for hour in range(start, start + 12))


def _counts(counts: Mapping[str, int], before: str = "") -> str:
    words = [f"{'' if name.startswith('more') else before}{name} {count}" for name, count in counts.items()]
    return (", ".join(words) or "none") + "."


def _promises(found: Mapping[str, Any]) -> Iterator[str]:
    broken = sum(found["broken"].values())
    yield f"Broken promises: {broken} (of {len(found['broken'])} that were checked)."
    for rule, count in found["broken"].items():
        if count:
            yield f"  {rule}: {count}"
    for example in found["examples"]:
        yield f"    {example['at']}  {example['address']}  {example['rule']}: {example['words']}"
