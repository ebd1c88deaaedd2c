"""Streamlit with the pages imported before it serves: the first reader doesn't wait for that. Takes its options."""

import importlib
import logging
import os
import sys
from contextlib import nullcontext

from streamlit import env_util, logger, net_util
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.cli import main

from harness.core.process.network import no_network


def serve() -> None:
    """Serve the app."""
    # What is decorated to be remembered complains that no server runs yet.
    logger.get_logger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)
    # To learn its own addresses it would ask a server of others, and look their name up.
    net_util.get_external_ip = net_util.get_internal_ip = _unknown
    # At a first element it would look through the files of all modules to learn whether someone types.
    env_util.is_repl = _no
    importlib.import_module("leaderboard.app")
    from leaderboard import server

    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
    listening = f"http://{options.get('--server.address', 'localhost')}:{options.get('--server.port', '8501')}"
    sys.argv = ["streamlit", "run", server.__file__, *sys.argv[1:]]
    allowed = [listening, os.environ.get("HARNESS_STORE", "")]
    # Who asks for a sign-in has named its provider, which names the other hosts that it takes.
    signs_in = secrets_singleton.load_if_toml_exists() and "auth" in secrets_singleton
    away = no_network("the leaderboard has no need of it", "Report it as a fault", allowed=allowed)
    with nullcontext() if signs_in else away:
        main()


def _unknown() -> None:
    return None


def _no() -> bool:
    return False


if __name__ == "__main__":
    serve()
