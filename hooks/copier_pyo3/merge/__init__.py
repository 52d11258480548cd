"""The three-way merge of plain data, of the text of each format, of files, and of trees: see README.md in this folder."""
