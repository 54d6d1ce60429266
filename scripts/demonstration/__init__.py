"""A whole life of memories with a clock of its own: told by day, recalled, faded, looked at."""
