"""Published tests of stereotypes, on the whole of their data and with the scores of their authors."""
