#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs rdma-core's own tests (package python3-pyverbs) in a guest and prints KTAP.

run_pyverbs.py DEVICE [TEST...]   all tests that are for any device, or those whose names begin with TEST
"""
import gzip
import os
import pathlib
import shutil
import signal
import sys
import traceback
import unittest

INSTALLED = pathlib.Path("/usr/share/doc/rdma-core/tests")
PLACE = pathlib.Path("/tmp/pyverbs")
# Tests of one maker's devices only.
VENDORS = ("mlx5", "efa", "irdma")
# For one test, by the guest's clock, which can run fast on a busy machine.
SECONDS = 900


class TookTooLong(Exception):
    pass


def too_long(_signal, _frame):
    raise TookTooLong(f"not done in {SECONDS} s")


def unpack():
    """Debian compresses what is large in /usr/share/doc."""
    tests = PLACE / "tests"
    tests.mkdir(parents=True)
    for file in INSTALLED.iterdir():
        if file.suffix == ".gz":
            with gzip.open(file) as packed:
                (tests / file.stem).write_bytes(packed.read())
        elif file.suffix == ".py":
            shutil.copy(file, tests)
    return tests


def cases(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from cases(test)
        else:
            yield test


def name_of(test):
    return test.id().removeprefix("tests.").replace("#", " ")


class Ktap(unittest.TestResult):
    """One line for each test; a failure's trace comes before it."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.verdict = None

    def startTest(self, test):
        super().startTest(test)
        self.verdict = ("ok", "")
        signal.alarm(SECONDS)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)
        self.number += 1
        result, directive = self.verdict
        print(f"{result} {self.number} - {name_of(test)}{directive}", flush=True)

    def failed(self, test, error):
        if self.verdict[0] == "ok":
            for line in self._exc_info_to_string(error, test).splitlines():
                print("# " + line)
        self.verdict = ("not ok", "")

    def addError(self, test, err):
        super().addError(test, err)
        self.failed(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failed(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        # A part that was skipped (a subtest's) must not hide another part's failure.
        if self.verdict[0] == "ok":
            self.verdict = ("ok", " # SKIP " + " ".join(str(reason).split()))

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.verdict = ("not ok", "")


def main():
    device, chosen = sys.argv[1], tuple(sys.argv[2:])
    tests = unpack()
    # They take their options from the command line, and import each other as a package.
    sys.argv = ["run_pyverbs.py", "--dev", device]
    sys.path[:0] = [str(PLACE), str(tests)]
    os.chdir(tests)
    from args_parser import parser
    parser.parse_args()

    loader = unittest.TestLoader()
    found = []
    for file in sorted(tests.glob("test_*.py")):
        if any(vendor in file.stem for vendor in VENDORS):
            continue
        found += cases(loader.loadTestsFromName("tests." + file.stem))
    found = [test for test in found if not chosen or name_of(test).startswith(chosen)]
    print("KTAP version 1")
    print(f"1..{len(found)}", flush=True)
    if loader.errors:
        print("\n".join("# " + line for error in loader.errors for line in error.splitlines()))
        print("Bail out! some tests could not be loaded")
        return 1

    signal.signal(signal.SIGALRM, too_long)
    signal.siginterrupt(signal.SIGALRM, True)
    result = Ktap()
    unittest.TestSuite(found).run(result)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:  # whatever it is, the runner has to hear of it
        traceback.print_exc()
        print("Bail out! the tests could not be run")
        sys.exit(1)
