"""Pictures and sounds: made, read, and taken from files that anybody may have written."""
