"""The WSGI entry: `gunicorn wsgi:app`. With RUN_WORKER_IN_WEB the worker runs in the same process."""

import sys

import click

from config import BadSetting
from leadmagnet import create_app

try:
    app = create_app()
except BadSetting as error:
    sys.exit(f"leadmagnet: {error}")

# Commands load this file too, and never start the embedded worker.
if app.extensions["leadmagnet"].config.run_worker_in_web and click.get_current_context(silent=True) is None:
    from leadmagnet.worker import start_in_background

    start_in_background(app.extensions["leadmagnet"])
