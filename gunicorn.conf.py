"""What gunicorn reads by itself when it is started in this folder: it looks at the settings before it forks.

A worker that stops at a bad setting is started anew for ever; here the server itself stops, with one line and status 1.
And its logs stay discreet: addresses of ours hold keys. There is no access log unless somebody asks for one.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from gunicorn.glogging import Logger

from leadmagnet.logs import Discreet, discreet

#: What an access log may say of a request, besides figures.
_SAID = ("r", "U")
_FIGURES = ("l", "u", "t", "m", "s", "H", "b", "B", "T", "D", "M", "L", "p")


class DiscreetLogger(Logger):
    """Gunicorn's logger, without keys of links, queries, referrers, cookies and addresses of visitors."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, and make what goes through them discreet."""
        super().setup(cfg)
        self.error_log.addFilter(Discreet())

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """Return what an access log may hold. A format that asks for more gets a dash."""
        atoms = super().atoms(resp, req, environ, request_time)
        kept = {name: atoms[name] for name in _FIGURES if name in atoms}
        return kept | {name: discreet(str(atoms[name])) for name in _SAID if name in atoms}


logger_class = DiscreetLogger

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
