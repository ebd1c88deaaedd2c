"""Streamlit with the pages imported before it serves: the first reader doesn't wait for that. Takes its options."""

import importlib
import logging
import sys

from streamlit import logger, net_util
from streamlit.web.cli import main


def serve() -> None:
    """Serve the app."""
    # What is decorated to be remembered complains that no server runs yet.
    logger.get_logger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)
    # To learn its own addresses it would ask a server of others, and look their name up.
    net_util.get_external_ip = net_util.get_internal_ip = _unknown
    importlib.import_module("leaderboard.app")
    from leaderboard import server

    sys.argv = ["streamlit", "run", server.__file__, *sys.argv[1:]]
    main()


def _unknown() -> None:
    return None


if __name__ == "__main__":
    serve()
