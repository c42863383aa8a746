"""What a suite has of SWZIP_TEST_BUDGET: the seconds and the seed that common.sh gives it."""

import os
import random
import time

SEED = int(os.environ["SUITE_SEED"])
RANDOM = random.Random(SEED)
END = time.monotonic() + float(os.environ["SUITE_SECONDS"])


def is_over():
    return time.monotonic() > END


def repeated(items):
    """Each item in random order, and all of them again, until the seconds are over; each at least once."""
    given = 0
    while given == 0 or not is_over():
        for item in RANDOM.sample(items, len(items)):
            if given >= len(items) and is_over():
                return
            given += 1
            yield item
