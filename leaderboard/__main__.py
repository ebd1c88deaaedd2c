"""Streamlit with the pages imported before it serves: the first reader doesn't wait for that. Takes its options."""

import logging
import sys

from streamlit import logger
from streamlit.web.cli import main


def serve() -> None:
    """Serve the app."""
    # What is decorated to be remembered complains that no server runs yet.
    logger.get_logger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)
    from leaderboard import app

    sys.argv = ["streamlit", "run", app.__file__, *sys.argv[1:]]
    main()


if __name__ == "__main__":
    serve()
