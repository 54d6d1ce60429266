"""The maths of summaries and profiles. Pure."""
