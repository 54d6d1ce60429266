"""Every SQL statement of the room, one file per noun."""
