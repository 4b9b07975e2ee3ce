"""Watching, check-ins, steering and leaving -> facts on the subscriber, each counted once.

Must not know: how an email is sent. Whoever steers sets `wants_plan`; the enrollment room dates the next email.
"""
