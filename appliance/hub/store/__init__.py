"""The history: one SQLite file, one writer thread, rows of packed columns in three grains, turns, a time line, commands."""
