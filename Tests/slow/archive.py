"""An archive of checkpoints under faults, kills, a full disk, and several writers at once.

    archive.py SWZIP SHIM.so FOLDER SMALL

SMALL is a small file system. Whatever happens, each checkpoint that was reported as added and not forgotten is listed and
restored to every byte, and the next command does its work without help.
"""

import errno
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from archives import archive, listed, tree
from budget import END, RANDOM, is_over
from models import model

SWZIP, SHIM, FOLDER, SMALL = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
FEWEST_KILLS, FEWEST_FAULTS, MOST_KILLS, ROUNDS = 40, 60, 500, 12
# What a call of the system may fail with; all but the last may be the end of the verb.
ERRORS = ["ENOSPC", "EDQUOT", "EIO", "EINTR"]
failures: list[str] = []


def must(*words):
    done = archive(*words)
    if done.returncode != 0:
        raise SystemExit(f"{words}: {done.returncode}: {done.stderr}")


class Run:
    """An archive beside what must be in it: the files of each step that was reported as added, and not forgotten."""

    def __init__(self, place):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        self.place, self.path = place, place / "run"
        self.kept: dict[int, dict[str, bytes]] = {}
        self.step = 0
        self.weights = bytearray(model(150_000, seed=RANDOM.randrange(1 << 30)))
        must("init", self.path)

    def source(self):
        """The next checkpoint, a step of training after the last."""
        self.step += 10
        for at in RANDOM.sample(range(2000, len(self.weights) - 1), 1500):
            self.weights[at] ^= 1
        folder = self.place / f"checkpoint-{self.step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(self.weights)
        (folder / "state.json").write_text(json.dumps({"step": self.step}))
        return folder

    def add(self):
        folder = self.source()
        must("add", self.path, folder)
        self.kept[self.step] = tree(folder)
        return folder

    def listed(self):
        try:
            return listed(self.path)
        except RuntimeError as error:
            failures.append(str(error))
            return []

    def restores(self, step, files, what):
        out = self.place / "out"
        shutil.rmtree(out, ignore_errors=True)
        done = archive("restore", self.path, step, "-o", out)
        if done.returncode != 0 or tree(out) != files:
            failures.append(f"{what}: {step} is not restored as it was: {done.returncode} {done.stderr}")

    def check(self, what, some=None):
        """All that was promised is listed, and restored; `some`: so many of them."""
        lines = self.listed()
        names = [line["checkpoint"] for line in lines]
        lost = [step for step in self.kept if str(step) not in names]
        if lost:
            failures.append(f"{what}: lost {lost}")
        if len(set(names)) != len(names) or any("@" in name for name in names):
            failures.append(f"{what}: added twice: {names}")
        steps = list(self.kept) if some is None else RANDOM.sample(list(self.kept), min(some, len(self.kept)))
        for step in steps:
            self.restores(step, self.kept[step], what)
        if not (done := archive("verify", self.path, "--quick")).returncode == 0:
            failures.append(f"{what}: verify: {done.stderr}")

    def prune(self, *words):
        done = archive("prune", self.path, "--json", *words)
        return done, [line["step"] for line in map(json.loads, done.stdout.splitlines()) if line.get("kept") is False]


class Trial:
    """One operation: its words, and what a call of it that may have been cut short leaves to be done."""

    def __init__(self, run, verb, *threads):
        self.run, self.verb = run, verb
        steps = sorted(run.kept)
        if verb == "add":
            self.folder = run.source()
            self.words = ["add", *threads, run.path, self.folder]
        elif verb in ("forget", "tag"):
            self.step = RANDOM.choice(steps[:-1])
            self.words = [verb, run.path, self.step] + (["best"] if verb == "tag" else [])
        elif verb == "prune":
            self.words = ["prune", run.path, "--keep-last", "4", "--grace", "0"]
        else:
            self.words = [verb, *threads, run.path, "latest", "-o", run.place / "restored"]
            shutil.rmtree(run.place / "restored", ignore_errors=True)

    def settle(self, status, how):
        """Runs it again, as who was interrupted would, and says what must be there from now on."""
        run, what = self.run, f"{self.verb} {how}"
        if self.verb == "add" and status == 0:
            run.kept[run.step] = tree(self.folder)
        if self.verb == "forget":  # From the first call on it may be gone.
            run.kept.pop(self.step, None)
        if self.verb == "prune":
            for step in sorted(run.kept)[:-4]:
                run.kept.pop(step)
        run.check(what, some=1)
        if self.verb == "restore":
            shutil.rmtree(run.place / "restored", ignore_errors=True)
        again = archive(*self.words)
        if again.returncode != 0:
            failures.append(f"{what}: the next call fails: {again.returncode}: {again.stderr}")
        if self.verb == "add":
            run.kept[run.step] = tree(self.folder)
        if self.verb == "tag":
            must("tag", run.path, "--remove", "best")
        run.check(what, some=1)


VERBS = ["add", "forget", "tag", "prune", "restore"]


def part(parts):
    """Whether the first of so many parts of the time that is left is over, from now on to be asked."""
    end = time.monotonic() + (END - time.monotonic()) / parts
    return lambda: time.monotonic() > end


def fresh(place, count=6):
    run = Run(place)
    for _ in range(count):
        run.add()
    return run


def kills():
    """SIGKILL, SIGTERM and SIGINT at random moments."""
    run, found, longest = fresh(FOLDER / "kills"), Counter(), {}
    while found.total() < FEWEST_KILLS or not is_over() and any(found[verb] < MOST_KILLS for verb in VERBS):
        while len(run.kept) < 6:
            run.add()
        verb = min(VERBS, key=lambda verb: (found[verb], RANDOM.random()))
        trial = Trial(run, verb)
        number = RANDOM.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        start = time.monotonic()
        process = subprocess.Popen([SWZIP, "archive", *map(str, trial.words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            status = process.wait(RANDOM.random() * 1.1 * longest.get(verb, 0.2))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            status = process.wait(60)
        else:
            longest[verb] = time.monotonic() - start
        trial.settle(status, f"after {number.name}")
        found[verb] += status != 0
        found["ended"] += status == 0
    run.check("after all kills")
    print(f"kills: {dict(found)}")


def faults():
    """Each call of the system fails, or is the last, in random order."""
    place, log, found = FOLDER / "faults", FOLDER / "faults.log", Counter()
    run, is_late = fresh(place), part(2)
    cases = []
    for verb in VERBS:
        log.unlink(missing_ok=True)
        for how in ({"FAULT_LOG": str(log)}, {"FAULT_SHORT": "1"}):
            trial = Trial(run, verb, "-T1")
            done = archive(*trial.words, LD_PRELOAD=SHIM, **how)
            if done.returncode != 0:
                failures.append(f"{verb}, {how}: ends with {done.returncode}: {done.stderr}")
            trial.settle(done.returncode, str(how))
        calls = len(log.read_text().split())
        cases += [(verb, at, how) for at in range(1, calls + 2) for how in ("KILL", *ERRORS)]
    for number, (verb, at, how) in enumerate(RANDOM.sample(cases, len(cases))):
        if number >= FEWEST_FAULTS and is_late():
            break
        while len(run.kept) < 6:
            run.add()
        trial = Trial(run, verb, "-T1")
        log.unlink(missing_ok=True)
        fault = {"FAULT_KILL": "1"} if how == "KILL" else {"FAULT_ERRNO": str(getattr(errno, how))}
        done = archive(*trial.words, LD_PRELOAD=SHIM, FAULT_AT=str(at), FAULT_LOG=str(log), **fault)
        failed = next((line for line in log.read_text().split() if line.endswith("!")), "nothing")
        what = f"{how} at call {at}, {failed}"
        if how != "KILL":
            if done.returncode not in range(128) or how == "EINTR" and done.returncode != 0:
                failures.append(f"{verb}, {what}: ends with {done.returncode}: {done.stderr}")
            if failed != "unlinkat!" and list(run.place.rglob(".swzip-*")):
                failures.append(f"{verb}, {what}: something is left behind")
        for file in run.place.rglob(".swzip-*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        trial.settle(done.returncode, what)
        found[how] += 1
    run.check("after all faults")
    print(f"faults: {dict(found)} of {len(cases)}")


def removals():
    """add --rm, each of whose calls fails or is the last: the original is there under its name, all of it, or the archive has it. It is
    hidden only where it was about to go."""
    run, log, found, is_late = fresh(FOLDER / "removals", 1), FOLDER / "removals.log", Counter(), part(4)
    folder, saved = run.source(), run.place / "saved"
    files, hidden = tree(folder), folder.with_name(f".{folder.name}.swzip-rm")
    run.path.rename(saved)

    def trial(**fault):
        """Each time on the same archive, so that the calls are the same."""
        for left in [folder, hidden, run.path]:
            shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(saved, run.path)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        log.unlink(missing_ok=True)
        return archive("add", "-T1", "--rm", run.path, folder, LD_PRELOAD=SHIM, FAULT_LOG=str(log), **fault)

    done = trial()
    if done.returncode != 0 or folder.exists():
        failures.append(f"add --rm: {done.returncode}: {done.stderr}")
    names = log.read_text().split()
    cases = [(at, how) for at in range(1, len(names) + 2) for how in ("KILL", *ERRORS)]
    # From the name that hides it on first.
    hiding = max((at for at, name in enumerate(names, 1) if name == "renameat2"), default=0)
    first = [(at, "EIO") for at in range(hiding, len(names) + 1)]
    if not hiding:
        failures.append(f"add --rm hides nothing: {names[-40:]}")
    for number, (at, how) in enumerate(first + RANDOM.sample(cases, len(cases))):
        if number >= FEWEST_FAULTS and is_late():
            break
        fault = {"FAULT_KILL": "1"} if how == "KILL" else {"FAULT_ERRNO": str(getattr(errno, how))}
        done = trial(FAULT_AT=str(at), **fault)
        failed = next((line for line in log.read_text().split() if line.endswith("!")), "nothing")
        what = f"add --rm, {how} at call {at}, {failed}"
        if done.returncode == 0 and (folder.exists() or hidden.exists()):
            failures.append(f"{what}: it is not removed")
        if folder.exists() and tree(folder) != files:
            failures.append(f"{what}: half of it is left under its name")
        if not folder.exists():
            run.restores(run.step, files, what)
        if hidden.exists() and how != "KILL" and failed in ("renameat2!", "fsync!"):
            failures.append(f"{what}: it is hidden, and stays")
        found[how] += 1
    print(f"removals: {dict(found)} of {len(cases)}")


def full_disk():
    """One line says so, and what was there is there."""
    run, ballast = Run(SMALL / "a"), SMALL / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(SMALL).free - 1_500_000)) or b"0" * 500_000)
    added = 0
    while added < 100:
        folder = run.source()
        done = archive("add", run.path, folder, "--key")
        if done.returncode != 0:
            break
        run.kept[run.step] = tree(folder)
        added += 1
        shutil.rmtree(folder)
    if done.returncode != 1 or "No space left" not in done.stderr or len(done.stderr.splitlines()) != 1:
        failures.append(f"a full disk: {done.returncode}: {done.stderr}")
    names = [line["step"] for line in run.listed()]
    if names != sorted(run.kept) or archive("verify", run.path).returncode != 0:
        failures.append(f"a full disk: {names} instead of {sorted(run.kept)}")
    # Nothing else makes room.
    before = archive("list", run.path).stdout
    while True:
        try:
            with (SMALL / "more").open("ab") as file:
                file.write(bytes(1024))
        except OSError:
            break
    for words in (["forget", run.path, names[0]], ["prune", run.path, "--keep-last", "2", "--grace", "0"]):
        done = archive(*words)
        if done.returncode != 0:
            failures.append(f"{words[0]} on a full disk: {done.stderr}")
    run.kept = {step: run.kept[step] for step in names[-2:]}
    if [line["step"] for line in run.listed()] != names[-2:]:
        failures.append(f"pruning a full disk: {archive('list', run.path).stdout} of {before}")
    (SMALL / "more").unlink()
    ballast.unlink()
    archive("add", run.path, folder)
    run.kept[run.step] = tree(folder)
    run.check("after a full disk")
    print(f"full disk: after {added} checkpoints")


def at_once():
    """Two adders and a pruner, which are suspended at random."""
    is_late = part(4)
    for number in range(ROUNDS):
        run = fresh(FOLDER / "at-once", 2)
        sources = [run.source() for _ in range(8)]
        files = {int(source.name.split("-")[1]): tree(source) for source in sources}
        statuses, forgotten, running = {}, set(), {}
        waiting = [sources[0::2], sources[1::2]]
        while any(waiting) or any(key != "prune" for key in running):
            for adder in (0, 1):
                if adder not in running and waiting[adder]:
                    source = waiting[adder].pop(0)
                    running[adder] = (source, subprocess.Popen(
                        [SWZIP, "archive", "add", run.path, source], stderr=subprocess.PIPE, text=True))
            if "prune" not in running:
                running["prune"] = (None, subprocess.Popen(
                    [SWZIP, "archive", "prune", run.path, "--keep-last", "2", "--grace", "0", "--json"],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            time.sleep(RANDOM.random() * 0.03)
            _, process = running[RANDOM.choice(list(running))]
            process.send_signal(signal.SIGSTOP)
            time.sleep(RANDOM.random() * 0.05)
            process.send_signal(signal.SIGCONT)
            for key, (source, process) in list(running.items()):
                if process.poll() is None:
                    continue
                output, words = process.communicate()
                del running[key]
                if key == "prune":
                    lines = map(json.loads, output.splitlines())
                    forgotten |= {line["step"] for line in lines if line.get("kept") is False}
                    # While an adder has published, and not yet found out that its base went.
                    if process.returncode not in (0, 4):
                        failures.append(f"at once: prune: {process.returncode}: {words}")
                else:
                    statuses[int(source.name.split("-")[1])] = process.returncode
                    # Rules that keep the last alone may prune at once what comes late.
                    if process.returncode != 0 and "pruned at once" not in words:
                        failures.append(f"at once: add {source.name}: {process.returncode}: {words}")
        for _, process in running.values():
            output, _ = process.communicate()
            forgotten |= {line["step"] for line in map(json.loads, output.splitlines()) if line.get("kept") is False}
        done, _ = run.prune("--grace", "0")
        if done.returncode != 0:
            failures.append(f"at once: the last prune: {done.returncode}: {done.stderr}")
        run.kept |= {step: files[step] for step, status in statuses.items() if status == 0}
        listed = {line["step"] for line in run.listed()}
        # What no prune forgot, and the newest, must be there.
        run.kept = {step: content for step, content in run.kept.items() if step in listed or step not in forgotten}
        run.check(f"at once, round {number}")
        if max(files) not in listed:
            failures.append(f"at once: the newest, {max(files)}, is lost")
        if number >= 2 and is_late():
            break
    print(f"at once: {number + 1} rounds")


FOLDER.mkdir(parents=True)
full_disk()
at_once()
removals()
faults()
kills()
for failure in failures[:40]:
    print("WRONG", failure)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
