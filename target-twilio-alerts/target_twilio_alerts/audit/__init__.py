"""The trail held against itself, its anchors and the rows that it tells of; and what is erased."""
