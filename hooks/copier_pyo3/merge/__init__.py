"""The three-way merge: of plain data, of text in each format, of a file, of a tree. README.md beside this file shows how."""
