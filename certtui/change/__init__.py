"""Preview, apply, undo and remove over one artifact list, with a journal and a lock."""
