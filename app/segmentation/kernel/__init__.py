"""Where events begin and end, and which turns stand for one. Pure."""
