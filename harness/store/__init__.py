"""The store: an index of sealed records that can be rebuilt from them at any time, never the truth."""

from harness.store.indexing import Indexed, add_or_say, add_run, fill, folder_of, index_folder
from harness.store.store import FILE_NAME, NO_STORE, VARIABLE, Store, locate, shown_place

__all__ = [
    "FILE_NAME",
    "NO_STORE",
    "VARIABLE",
    "Indexed",
    "Store",
    "add_or_say",
    "add_run",
    "fill",
    "folder_of",
    "index_folder",
    "locate",
    "shown_place",
]
