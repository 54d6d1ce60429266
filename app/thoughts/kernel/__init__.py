"""Pure parts: hashing, reading of statements, organising of a bucket."""
