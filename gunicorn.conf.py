"""What gunicorn reads by itself when it is started in this folder: it looks at the settings before it forks.

A worker that stops at a bad setting is started anew for ever; here the server itself stops, with one line and status 1.
"""

from __future__ import annotations

import os
import sys

#: Nobody's word on scheme or script name is taken: those are PUBLIC_URL's. Whose word counts for a visitor's address
#: says TRUSTED_PROXIES, and the program looks at that itself.
forwarded_allow_ips = ""


def on_starting(_server: object) -> None:
    """Stop the start where a setting is missing or cannot be used."""
    from config import BadSetting, Config
    from leadmagnet import services

    try:
        parts = services.build(Config.from_env(os.environ))
    except BadSetting as error:
        sys.exit(f"leadmagnet: {error}")
    parts.mailer.close()
    parts.engine.dispose()
