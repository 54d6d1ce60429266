"""What each mechanism brings to a task, with it and without it, on conversations of others.

    python -m scripts.bench.mechanisms PART --data DIRECTORY [--off] [--record]

Starts an installation of its own, unless ``--url`` and ``--key`` name one. With ``--off`` the
mechanism is switched off: it does not do its task then, and the program ends with 1.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.bench import evidence
from scripts.bench.load import Installation
from scripts.bench.mechanisms import days, linking, profiles, segments, thoughts
from scripts.bench.mechanisms.outcome import Bench, Outcome
from scripts.bench.mechanisms.service import Service

PARTS: dict[str, Callable[[Bench], Outcome]] = {
    "days": days.measure,
    "linking": linking.measure,
    "profiles": profiles.measure,
    "segments": segments.measure,
    "thoughts": thoughts.measure,
}


@contextmanager
def _service(url: str | None, key: str | None) -> Iterator[Service]:
    if url is not None and key is not None:
        with Service(url, key) as service:
            yield service
        return
    with Installation(0) as installation, Service(installation.url, installation.key) as service:
        yield service


def main() -> None:
    """Measure one mechanism."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", choices=sorted(PARTS))
    parser.add_argument("--data", type=Path, required=True, help="where the data sets lie")
    parser.add_argument("--off", action="store_true", help="without the mechanism")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    parser.add_argument("--url", help="an installation that runs already")
    parser.add_argument("--key", help="its API key")
    arguments = parser.parse_args()
    part: str = arguments.part
    with _service(arguments.url, arguments.key) as service:
        outcome = PARTS[part](Bench(service, arguments.data, not arguments.off))
    if arguments.record and not arguments.off:
        evidence.write(
            f"mechanism_{part}",
            name=outcome.name,
            command=f"python -m scripts.bench.mechanisms {part} --data DIRECTORY --record",
            n=outcome.n,
            rows=outcome.rows,
            notes=outcome.notes,
            raw=outcome.raw,
        )
    print(json.dumps(outcome._asdict(), indent=1, ensure_ascii=False))
    sys.exit(0 if outcome.works else 1)


if __name__ == "__main__":
    main()
