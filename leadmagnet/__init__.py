"""Leadmagnet: sign-up, six videos by email, and reminders that know what was done.

create_app() is wiring only. Web code is imported inside it, so that a worker never loads any.
"""

from __future__ import annotations

import os
import zoneinfo
from typing import TYPE_CHECKING

from config import Config

if TYPE_CHECKING:
    from flask import Flask

# Zone rules come from the pinned tzdata package, never from the system's copy: the two disagree now and then.
zoneinfo.reset_tzpath(to=())


def create_app(config: Config | None = None) -> Flask:
    """Return the web application. Without a config, the settings come from the environment. Raises BadSetting."""
    from flask import Flask

    from leadmagnet import logs, services
    from leadmagnet.cli import register as register_commands
    from leadmagnet.web import register as register_pages

    logs.configure()
    config = config or Config.from_env(os.environ)
    app = Flask(__name__, static_folder=None, template_folder=None)
    # Flask names the address of a request that failed.
    app.logger.addFilter(logs.Discreet())
    app.extensions["leadmagnet"] = services.build(config)
    register_pages(app)
    register_commands(app)
    return app
