"""Files in and out: tables are read as text (`text`, `excel`), files are written whole or not at all (`atomic`).

`spilling` keeps a private copy of rows on their way into a database. `stray_cells` finds cells far outside the table of
a worksheet. `replacing` says which files may be replaced, `names` what the name of a file may be.
"""
