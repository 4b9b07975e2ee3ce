"""The first tables.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "course_clock",
        sa.Column("id", BIG, nullable=False),
        sa.Column("real_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("course_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_clock")),
    )
    op.create_table(
        "email_text",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("loaded_hash", sa.String(length=64), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_email_text")),
    )
    op.create_table(
        "form",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("sequence_slug", sa.String(length=64), nullable=False),
        sa.Column("article", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_form")),
    )
    op.create_table(
        "halt",
        sa.Column("id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_halt")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "marketer",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marketer")),
        sa.UniqueConstraint("email", name=op.f("uq_marketer_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_marketer_fs_uniquifier")),
    )
    op.create_table(
        "role",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.create_table(
        "sequence",
        sa.Column("id", BIG, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("hour", BIG, nullable=False),
        sa.Column("opens", BIG, nullable=False),
        sa.Column("closes", BIG, nullable=False),
        sa.Column("weekdays", sa.String(length=7), nullable=False),
        sa.Column("spread_minutes", BIG, nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("loaded_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequence")),
        sa.UniqueConstraint("slug", name=op.f("uq_sequence_slug")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_canonical", sa.String(length=320), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("leave_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_real_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hurt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exercise_days", sa.String(length=7), nullable=False),
        sa.Column("chosen_hour", BIG, nullable=True),
        sa.Column("wants_reminders", sa.Boolean(), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unanswered", BIG, nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_first_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')",
            name=op.f("ck_subscriber_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("email_canonical", name=op.f("uq_subscriber_email_canonical")),
        sa.UniqueConstraint("leave_id", name=op.f("uq_subscriber_leave_id")),
    )
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.create_index("ix_subscriber_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_subscriber_paused_until", ["paused_until"], unique=False)
        batch_op.create_index(
            "ix_subscriber_pending",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )
        batch_op.create_index("ix_subscriber_remind_at", ["remind_at"], unique=False)
        batch_op.create_index("ix_subscriber_status_id", ["status", "id"], unique=False)

    op.create_table(
        "suppression",
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("email_hash", name=op.f("pk_suppression")),
    )
    op.create_table(
        "wording",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording")),
    )
    op.create_table(
        "activity",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=2000), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_activity_subscriber_id_subscriber"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.create_index("ix_activity_subscriber_id_id", ["subscriber_id", "id"], unique=False)

    op.create_table(
        "check_in",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("step_slug", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("felt", sa.String(length=8), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.CheckConstraint("felt IN ('easy', 'right', 'hard', 'hurt')", name=op.f("ck_check_in_felt")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_check_in_subscriber_id_subscriber"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
        sa.UniqueConstraint("subscriber_id", "day", "step_slug", name=op.f("uq_check_in_subscriber_id_day_step_slug")),
    )
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.create_index("ix_check_in_day", ["day"], unique=False)

    op.create_table(
        "consent_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("purposes", sa.String(length=64), nullable=False),
        sa.Column("wording_id", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("page", sa.String(length=500), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.CheckConstraint("kind IN ('requested', 'confirmed', 'withdrawn')", name=op.f("ck_consent_event_kind")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_consent_event_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["wording_id"], ["wording.id"], name=op.f("fk_consent_event_wording_id_wording")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.create_index("ix_consent_event_subscriber_id_id", ["subscriber_id", "id"], unique=False)

    op.create_table(
        "decision",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("times", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_decision_subscriber_id_subscriber"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index("ix_decision_subscriber_id_id", ["subscriber_id", "id"], unique=False)

    op.create_table(
        "enrollment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("sequence_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wants_plan", sa.Boolean(), nullable=False),
        sa.Column("last_settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('active', 'finished', 'stopped')", name=op.f("ck_enrollment_status")),
        sa.ForeignKeyConstraint(["sequence_id"], ["sequence.id"], name=op.f("fk_enrollment_sequence_id_sequence")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_enrollment_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollment")),
        sa.UniqueConstraint(
            "subscriber_id", "sequence_id", "number", name=op.f("uq_enrollment_subscriber_id_sequence_id_number")
        ),
    )
    with op.batch_alter_table("enrollment", schema=None) as batch_op:
        batch_op.create_index("ix_enrollment_sequence_id_status", ["sequence_id", "status"], unique=False)
        batch_op.create_index(
            "ix_enrollment_wanting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("wants_plan"),
            postgresql_where=sa.text("wants_plan"),
        )

    op.create_table(
        "marketer_role",
        sa.Column("marketer_id", BIG, nullable=False),
        sa.Column("role_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["marketer_id"], ["marketer.id"], name=op.f("fk_marketer_role_marketer_id_marketer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["role.id"], name=op.f("fk_marketer_role_role_id_role"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("marketer_id", "role_id", name=op.f("pk_marketer_role")),
    )
    op.create_table(
        "sign_up",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_canonical", sa.String(length=320), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("wording_id", sa.String(length=64), nullable=False),
        sa.Column("page", sa.String(length=500), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_real_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["wording_id"], ["wording.id"], name=op.f("fk_sign_up_wording_id_wording")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_up")),
    )
    with op.batch_alter_table("sign_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_up_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(
            "ix_sign_up_waiting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )

    op.create_table(
        "step",
        sa.Column("id", BIG, nullable=False),
        sa.Column("sequence_id", BIG, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("delay", sa.String(length=24), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("revision_id", BIG, nullable=True),
        sa.Column("loaded_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["sequence_id"], ["sequence.id"], name=op.f("fk_step_sequence_id_sequence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("sequence_id", "slug", name=op.f("uq_step_sequence_id_slug")),
    )
    op.create_table(
        "watch",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("step_slug", sa.String(length=64), nullable=False),
        sa.Column("percent", BIG, nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_watch_subscriber_id_subscriber"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint("subscriber_id", "step_slug", name=op.f("uq_watch_subscriber_id_step_slug")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("enrollment_id", BIG, nullable=True),
        sa.Column("step_id", BIG, nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("text_slug", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("lane", BIG, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("held", sa.String(length=16), nullable=True),
        sa.Column("skip_reason", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("claim_id", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider", sa.String(length=24), nullable=False),
        sa.Column("provider_id", sa.String(length=120), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("resent", BIG, nullable=False),
        sa.CheckConstraint(
            "kind IN ('confirmation', 'already_subscribed', 'video', 'finished', 'reminder')",
            name=op.f("ck_delivery_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('due', 'claimed', 'unknown', 'sent', 'delivered', 'bounced', 'failed', 'skipped')",
            name=op.f("ck_delivery_status"),
        ),
        sa.ForeignKeyConstraint(
            ["enrollment_id"], ["enrollment.id"], name=op.f("fk_delivery_enrollment_id_enrollment"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_delivery_step_id_step")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_delivery_subscriber_id_subscriber"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("public_id", name=op.f("uq_delivery_public_id")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_due",
            ["lane", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'due' AND held IS NULL"),
            postgresql_where=sa.text("status = 'due' AND held IS NULL"),
        )
        batch_op.create_index(
            "ix_delivery_leased",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("status IN ('claimed', 'unknown')"),
            postgresql_where=sa.text("status IN ('claimed', 'unknown')"),
        )
        batch_op.create_index("ix_delivery_step_id_status", ["step_id", "status"], unique=False)
        batch_op.create_index("ix_delivery_subscriber_id_id", ["subscriber_id", "id"], unique=False)
        batch_op.create_index(
            "uq_delivery_enrollment_id_step_id",
            ["enrollment_id", "step_id"],
            unique=True,
            sqlite_where=sa.text("status <> 'skipped'"),
            postgresql_where=sa.text("status <> 'skipped'"),
        )
        batch_op.create_index(
            "uq_delivery_subscriber_id_day",
            ["subscriber_id", "day"],
            unique=True,
            sqlite_where=sa.text(
                "day IS NOT NULL AND status IN ('due', 'claimed', 'unknown', 'sent', 'delivered', 'bounced')"
            ),
            postgresql_where=sa.text(
                "day IS NOT NULL AND status IN ('due', 'claimed', 'unknown', 'sent', 'delivered', 'bounced')"
            ),
        )

    op.create_table(
        "step_revision",
        sa.Column("id", BIG, nullable=False),
        sa.Column("step_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_step_revision_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_revision")),
        sa.UniqueConstraint("step_id", "number", name=op.f("uq_step_revision_step_id_number")),
    )


def downgrade() -> None:
    """Drop all tables."""
    op.drop_table("step_revision")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_delivery_subscriber_id_day",
            sqlite_where=sa.text(
                "day IS NOT NULL AND status IN ('due', 'claimed', 'unknown', 'sent', 'delivered', 'bounced')"
            ),
            postgresql_where=sa.text(
                "day IS NOT NULL AND status IN ('due', 'claimed', 'unknown', 'sent', 'delivered', 'bounced')"
            ),
        )
        batch_op.drop_index(
            "uq_delivery_enrollment_id_step_id",
            sqlite_where=sa.text("status <> 'skipped'"),
            postgresql_where=sa.text("status <> 'skipped'"),
        )
        batch_op.drop_index("ix_delivery_subscriber_id_id")
        batch_op.drop_index("ix_delivery_step_id_status")
        batch_op.drop_index(
            "ix_delivery_leased",
            sqlite_where=sa.text("status IN ('claimed', 'unknown')"),
            postgresql_where=sa.text("status IN ('claimed', 'unknown')"),
        )
        batch_op.drop_index(
            "ix_delivery_due",
            sqlite_where=sa.text("status = 'due' AND held IS NULL"),
            postgresql_where=sa.text("status = 'due' AND held IS NULL"),
        )

    op.drop_table("delivery")
    op.drop_table("watch")
    op.drop_table("step")
    with op.batch_alter_table("sign_up", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_sign_up_waiting",
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_sign_up_asked_at"))

    op.drop_table("sign_up")
    op.drop_table("marketer_role")
    with op.batch_alter_table("enrollment", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_enrollment_wanting", sqlite_where=sa.text("wants_plan"), postgresql_where=sa.text("wants_plan")
        )
        batch_op.drop_index("ix_enrollment_sequence_id_status")

    op.drop_table("enrollment")
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index("ix_decision_subscriber_id_id")

    op.drop_table("decision")
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_event_subscriber_id_id")

    op.drop_table("consent_event")
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.drop_index("ix_check_in_day")

    op.drop_table("check_in")
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index("ix_activity_subscriber_id_id")

    op.drop_table("activity")
    op.drop_table("wording")
    op.drop_table("suppression")
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.drop_index("ix_subscriber_status_id")
        batch_op.drop_index("ix_subscriber_remind_at")
        batch_op.drop_index(
            "ix_subscriber_pending",
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )
        batch_op.drop_index("ix_subscriber_paused_until")
        batch_op.drop_index("ix_subscriber_created_at_id")

    op.drop_table("subscriber")
    op.drop_table("sequence")
    op.drop_table("role")
    op.drop_table("marketer")
    op.drop_table("lease")
    op.drop_table("halt")
    op.drop_table("form")
    op.drop_table("email_text")
    op.drop_table("course_clock")
