"""The WSGI entry: `gunicorn wsgi:app`. With RUN_WORKER_IN_WEB the worker runs in the same process."""

import os
import sys
from dataclasses import replace

import click

from config import BadSetting, Config
from leadmagnet import create_app

#: The status at which gunicorn gives up; after any other it would start the next worker, for ever.
APP_LOAD_ERROR = 4

# Commands load this file too. They take the clock as they find it, and never start the embedded worker.
serving = click.get_current_context(silent=True) is None

try:
    config = Config.from_env(os.environ)
    app = create_app(replace(config, time_lapse=config.time_lapse or 1.0) if serving else config)
except BadSetting as error:
    sys.stderr.write(f"leadmagnet: {error}\n")
    # Gunicorn has looked at the settings before (gunicorn.conf.py), unless it was started from another folder.
    sys.exit(APP_LOAD_ERROR if "gunicorn.arbiter" in sys.modules else 1)

if serving and config.run_worker_in_web:
    from leadmagnet.worker import start_in_background

    start_in_background(app.extensions["leadmagnet"])
