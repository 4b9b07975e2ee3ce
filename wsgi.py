"""The WSGI entry: `gunicorn wsgi:app`. With RUN_WORKER_IN_WEB the worker runs in the same process."""

import os
import sys
from dataclasses import replace

import click

from config import BadSetting, Config
from leadmagnet import create_app

# Commands load this file too. They take the clock as they find it, and never start the embedded worker.
serving = click.get_current_context(silent=True) is None

try:
    config = Config.from_env(os.environ)
except BadSetting as error:
    sys.exit(f"leadmagnet: {error}")

app = create_app(replace(config, time_lapse=config.time_lapse or 1.0) if serving else config)

if serving and config.run_worker_in_web:
    from leadmagnet.worker import start_in_background

    start_in_background(app.extensions["leadmagnet"])
