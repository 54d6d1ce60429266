"""A-MEM: what a note says of a memory, which notes are linked, what a link changes."""
