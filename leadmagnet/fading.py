"""Network addresses and browsers leave the consent record, and sign-ups, once they have had their time.

Short transactions in each pass of the tick. Must not know: how a column is blanked (store/fading.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import InstrumentedAttribute

from config import Config
from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.services import Services
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.signups import SignUp

#: Rows a transaction blanks, and transactions in one pass.
BATCH, BATCHES = 500, 20
#: After each, so that visitors get at one SQLite file in between (seconds).
PAUSE = 0.02


def fade_some(services: Services, clock: Callable[[], Now], going: Callable[[], bool]) -> int:
    """Blank what a pass may blank, and return how many rows. `going` is asked between batches."""
    done = 0
    for column, before in _ages(services.config, clock().course):
        for _ in range(BATCHES):
            with store.reading(services.engine) as session:
                if not (going() and store.fading.fades(session, column, before)):
                    break
            with store.writing(services.engine) as session:
                done += store.fading.fade(session, column, before, BATCH)
            if services.engine.dialect.name == "sqlite":
                time.sleep(PAUSE)
    return done


def _ages(config: Config, now: datetime) -> Iterator[tuple[InstrumentedAttribute[str], datetime]]:
    """Yield each column that has a limit, with the instant before which it is to be empty."""
    for days, columns in (
        (config.consent_ip_days, (ConsentEvent.ip, SignUp.ip)),
        (config.consent_agent_days, (ConsentEvent.user_agent, SignUp.user_agent)),
    ):
        if days is not None:
            for column in columns:
                yield column, now - timedelta(days=days)
