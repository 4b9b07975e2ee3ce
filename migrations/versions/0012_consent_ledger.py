"""The consent ledger: what each event lacks, who wants what, and triggers that keep the record as it was written.

Also: counters for erased people, and erasures whose copies outside the database are still to go. Going down forgets all
of that; consents stay.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE, NOW = "'requested', 'confirmed', 'withdrawn'", "'requested', 'confirmed', 'withdrawn', 'stopped'"
#: What may be blanked, and the column of the instant that says how old it is.
FADING = (("consent_event", "at"), ("sign_up", "asked_at"))
#: Texts in which people may be named. PostgreSQL keeps samples in its statistics, where no erasure would reach them.
#: The unique index says all that a planner needs of an address.
UNSAMPLED = {
    "subscriber": {"email": 320, "email_canonical": 320, "first_name": 80},
    "sign_up": {"email": 320, "email_canonical": 320, "first_name": 80, "page": 500, "ip": 45, "user_agent": 300},
    "consent_event": {"email": 320, "page": 500, "ip": 45, "user_agent": 300, "detail": 300},
    "provider_event": {"email": 320, "detail": 300, "raw": None},
    "wording": {"text": None},
    "check_in": {"note": 2000},
    "activity": {"detail": 2000},
    "delivery": {"detail": 300},
}
KEPT = "id, subscriber_id, email, kind, purposes, wording_id, at, effective_at, channel, form, page, token_id, detail"

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

POSTGRES = (
    """
    CREATE FUNCTION consent_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        faded consent_event%ROWTYPE := OLD;
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF EXISTS (SELECT 1 FROM subscriber WHERE id = OLD.subscriber_id) THEN
                RAISE EXCEPTION 'a consent event goes only with its person' USING ERRCODE = '23001';
            END IF;
            RETURN OLD;
        END IF;
        IF NEW.ip = '' THEN faded.ip := ''; END IF;
        IF NEW.user_agent = '' THEN faded.user_agent := ''; END IF;
        IF NEW IS DISTINCT FROM faded THEN
            RAISE EXCEPTION 'a consent event is never changed' USING ERRCODE = '23001';
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER consent_event_stays BEFORE UPDATE OR DELETE ON consent_event "
    "FOR EACH ROW EXECUTE FUNCTION consent_event_stays()",
    """
    CREATE FUNCTION wording_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a wording is never changed' USING ERRCODE = '23001';
    END $$
    """,
    "CREATE TRIGGER wording_stays BEFORE UPDATE ON wording FOR EACH ROW EXECUTE FUNCTION wording_stays()",
)
SQLITE = (
    f"CREATE TRIGGER consent_event_stays BEFORE UPDATE OF {KEPT} ON consent_event "
    "BEGIN SELECT RAISE(ABORT, 'a consent event is never changed'); END",
    "CREATE TRIGGER consent_event_fades BEFORE UPDATE OF ip, user_agent ON consent_event "
    "WHEN NEW.ip NOT IN (OLD.ip, '') OR NEW.user_agent NOT IN (OLD.user_agent, '') "
    "BEGIN SELECT RAISE(ABORT, 'a consent event is never changed'); END",
    "CREATE TRIGGER consent_event_goes BEFORE DELETE ON consent_event "
    "WHEN EXISTS (SELECT 1 FROM subscriber WHERE id = OLD.subscriber_id) "
    "BEGIN SELECT RAISE(ABORT, 'a consent event goes only with its person'); END",
    "CREATE TRIGGER wording_stays BEFORE UPDATE ON wording "
    "BEGIN SELECT RAISE(ABORT, 'a wording is never changed'); END",
)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def upgrade() -> None:
    """Add what was missing, fill it where it can be known, and lock the record."""
    op.add_column("subscriber", sa.Column("wants_videos", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("subscriber", sa.Column("wants_news", sa.Boolean(), nullable=False, server_default=sa.false()))
    purposes = sa.Column("purposes", sa.String(length=64), nullable=False, server_default="videos reminders")
    op.add_column("sign_up", purposes)
    op.add_column("wording", sa.Column("version", sa.String(length=24), nullable=False, server_default=""))
    _widen()
    _fill()
    for table, at in FADING:
        for column in ("ip", "user_agent"):
            filled = sa.text(f"{column} <> ''")
            op.create_index(f"ix_{table}_{column}", table, [at], sqlite_where=filled, postgresql_where=filled)
    if not _is_sqlite():
        _sample_nothing()
    for statement in SQLITE if _is_sqlite() else POSTGRES:
        op.execute(statement)
    _make_tables()


def _widen() -> None:
    """Add the event's new columns, and its new kind."""
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email", sa.String(length=320), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("token_id", sa.String(length=64), nullable=False, server_default=""))
        batch_op.drop_constraint(op.f("ck_consent_event_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_consent_event_kind"), f"kind IN ({NOW})")


def _fill() -> None:
    """Say of events from before what they said in words, and of each the address as it is today."""
    op.execute(
        "UPDATE consent_event SET "
        "email = (SELECT email FROM subscriber WHERE subscriber.id = consent_event.subscriber_id), "
        "effective_at = CASE WHEN kind = 'requested' THEN NULL ELSE at END, "
        "purposes = CASE WHEN kind = 'withdrawn' THEN 'videos reminders news' ELSE purposes END, "
        "channel = CASE WHEN kind <> 'withdrawn' THEN channel WHEN detail LIKE 'complained, %' THEN 'complaint' "
        "WHEN detail LIKE 'bounced, %' THEN 'bounce' ELSE channel END, "
        "kind = CASE WHEN kind = 'withdrawn' AND detail LIKE 'bounced, %' THEN 'stopped' ELSE kind END"
    )
    op.execute(
        "UPDATE subscriber SET wants_videos = false, wants_reminders = false WHERE status IN "
        "('unsubscribed', 'complained')"
    )


def _sample_nothing() -> None:
    """Give the named columns no statistics. Naming a column's type anew, even the same one, forgets those there are."""
    for table, columns in UNSAMPLED.items():
        for column, length in columns.items():
            kind = f"varchar({length})" if length else "varchar"
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind}")
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


def _make_tables() -> None:
    op.create_table(
        "erased_count",
        sa.Column("figure", sa.String(length=24), nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.PrimaryKeyConstraint("figure", "day", "name", name=op.f("pk_erased_count")),
    )
    op.create_table(
        "erasure",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )


def downgrade() -> None:
    """Unlock the record and take away what was added.

    The program before knows no wish for reminders without videos: it would send them, so such people are paused.
    """
    op.drop_table("erasure")
    op.drop_table("erased_count")
    if _is_sqlite():
        for name in ("wording_stays", "consent_event_goes", "consent_event_fades", "consent_event_stays"):
            op.execute(f"DROP TRIGGER {name}")
    else:
        op.execute("DROP TRIGGER wording_stays ON wording")
        op.execute("DROP TRIGGER consent_event_stays ON consent_event")
        op.execute("DROP FUNCTION wording_stays()")
        op.execute("DROP FUNCTION consent_event_stays()")
    for table, _ in FADING:
        for column in ("user_agent", "ip"):
            op.drop_index(f"ix_{table}_{column}", table)
    if not _is_sqlite():
        for table, columns in UNSAMPLED.items():
            for column in columns:
                op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS -1")
    op.execute("UPDATE consent_event SET kind = 'withdrawn', detail = 'bounced, ' || detail WHERE kind = 'stopped'")
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_consent_event_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_consent_event_kind"), f"kind IN ({BEFORE})")
        batch_op.drop_column("token_id")
        batch_op.drop_column("effective_at")
        batch_op.drop_column("email")
    op.execute(
        "UPDATE subscriber SET paused_at = CURRENT_TIMESTAMP, paused_until = NULL "
        "WHERE status = 'active' AND paused_at IS NULL AND NOT wants_videos"
    )
    op.execute("UPDATE subscriber SET wants_reminders = true WHERE status IN ('unsubscribed', 'complained')")
    op.drop_column("wording", "version")
    op.drop_column("sign_up", "purposes")
    op.drop_column("subscriber", "wants_news")
    op.drop_column("subscriber", "wants_videos")
