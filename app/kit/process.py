"""What a process does to itself."""

import gc


def spare_the_collector() -> None:
    """Keep what a start has made out of the collector's later rounds: it stays to the end.

    Routes, schemas and statements are hundreds of thousands of objects, and each full round would
    look through them while a request waits: a tenth of a recall's time in the api. Only for a
    process that starts once; a test that starts many applications would never free them.
    """
    gc.collect()
    gc.freeze()
