"""The full-screen wizard: the only room that imports Textual. It writes no file, runs nothing."""
