"""The pictures and sounds of a run's requests, to look at and to listen to."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harness.core.errors import HarnessError
from harness.core.media import AUDIO, OBJECT, media_type_of
from harness.core.requests import AttributePicture, AttributeSound
from harness.media.heat import heat_map
from harness.media.shown import as_png, safe_medium
from harness.record import RunRecord
from harness.record.media import grid_of, media_names
from leaderboard.session import Session
from leaderboard.words import escaped

__all__ = ["heat", "in_words", "media"]

_WIDTH = 280


def media(session: Session, record: RunRecord, names: Sequence[str]) -> None:
    """Show them in their order; a sound as what it sounds like and as its spectrogram."""
    t = session.t
    for name in names:
        try:
            medium = record.medium(name)
            if medium is None:
                st.caption(t("The run doesn't keep this picture or sound, or it was changed."))
                continue
            if media_type_of(name) == AUDIO:
                st.audio(safe_medium(medium).data, format=AUDIO)
                st.image(as_png(medium), caption=t("Spectrogram: time from left to right, pitch from below"))
            else:
                st.image(as_png(medium), width=_WIDTH)
        except HarnessError as error:
            st.warning(escaped(str(error), 300))


def heat(session: Session, record: RunRecord, requests: pd.DataFrame, values: Sequence[float], *, title: str) -> bool:
    """Show what the parts of the explained picture or sound are worth; False where what was explained is neither."""
    explained = requests[requests["kind"].isin([AttributePicture.kind, AttributeSound.kind])]
    if explained.empty:
        return False
    settings = explained["settings"].iloc[0]
    grid, names = grid_of(settings), media_names(settings)
    try:
        medium = record.medium(names[0]) if names else None
        if grid is None or medium is None:
            return False
        caption = session.t("{title} (blue speaks for it, orange against it)", title=escaped(title))
        st.image(
            heat_map(medium, values, grid),
            caption=caption,
            width=_WIDTH if media_type_of(names[0]) != AUDIO else "content",
        )
    except (HarnessError, ValueError):
        return False
    return True


def in_words(prompt: str, word: str) -> str:
    """The prompt with a word for each place at which a picture or sound stands."""
    return prompt.replace(OBJECT, f"[{word}]")
