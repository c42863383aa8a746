"""A verb on an archive is stopped at one of its calls of the system, each in turn; others do all of theirs; then it goes on.

    suspended.py SWZIP SHIM.so FOLDER

Where a verb says that it is done, its checkpoint can be had afterwards, and nothing needs help.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from archives import archive, listed, tree
from budget import RANDOM, is_over
from models import model

SWZIP, SHIM, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
NAMING = {"linkat", "renameat", "renameat2", "unlinkat", "mkdirat"}
PLACE = FOLDER / "place"
RUN, OUT = PLACE / "run", PLACE / "out"
ADD = ["add", "-T1", RUN, PLACE / "checkpoint-30"]
FORGET, UNFORGET, TAG = ["forget", RUN, "10", "20"], ["unforget", RUN, "20"], ["tag", RUN, "20", "best"]
PRUNE, MARK = ["prune", RUN, "--grace", "0"], ["prune", RUN, "--grace", "1h"]
KEEP_ONE = [*PRUNE, "--keep-last", "1"]
RESTORE = ["restore", "-T1", RUN, "20", "-o", OUT]
# What was done before, what is stopped, and what others do meanwhile.
CASES = {
    "add, its bases are pruned": ([], ADD, [FORGET, PRUNE]),
    "add, rules prune": ([], ADD, [KEEP_ONE]),
    "add, another adds the same": ([], ADD, [ADD]),
    "prune, another adds": ([FORGET], PRUNE, [ADD]),
    "prune by rules, another adds": ([], KEEP_ONE, [ADD]),
    "prune, another lists again": ([FORGET], PRUNE, [UNFORGET]),
    "prune by rules, another tags": ([], KEEP_ONE, [TAG]),
    "prune, another prunes": ([FORGET], PRUNE, [PRUNE]),
    "list again, another prunes": ([FORGET, MARK], UNFORGET, [PRUNE]),
    # A prune that looked then, and deletes by the names that it found once the verb is done.
    "add, a late prune": ([], ADD, [FORGET, MARK, "late"]),
    "list again, a late prune": ([FORGET, MARK], UNFORGET, ["late"]),
    "tag, rules prune": ([], TAG, [KEEP_ONE]),
    "restore, another prunes": ([], RESTORE, [FORGET, PRUNE]),
}
# What can be restored once a verb is done, and the step that it is.
HAD = {"add": ("30", 30), "unforget": ("20", 20), "tag": ("best", 20)}
failures: list[str] = []
files: dict[int, dict[str, bytes]] = {}


def prepare():
    """10, 20 as differences to it, and 5, which stands alone; 30 is to be added."""
    weights = bytearray(model(60_000))
    for step in (5, 10, 20, 30):
        folder = PLACE / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(weights if step > 5 else model(600, seed=5))
        files[step] = tree(folder)
        for at in RANDOM.sample(range(2000, len(weights) - 1), 600):
            weights[at] ^= 1
    for words in (["init", RUN], *(["add", RUN, PLACE / f"checkpoint-{step}"] for step in (5, 10, 20))):
        if (done := archive(*words)).returncode != 0:
            sys.exit(f"{words}: {done.stderr}")
    PLACE.rename(FOLDER / "template")


def fresh(before):
    shutil.rmtree(PLACE, ignore_errors=True)
    shutil.copytree(FOLDER / "template", PLACE)
    for words in before:
        archive(*words)


def calls(before, words):
    """How many a verb makes that nobody disturbs."""
    fresh(before)
    log = FOLDER / "log"
    log.unlink(missing_ok=True)
    archive(*words, LD_PRELOAD=SHIM, FAULT_LOG=str(log))
    return log.read_text().split()


def suspended(words, at, meanwhile):
    """What a verb, stopped before call `at`, and what `meanwhile` does then end with; the words of the first."""
    return stopped([SWZIP, "archive", *words], at, meanwhile)


def stopped(command, at, meanwhile):
    settings = os.environ | {"LD_PRELOAD": SHIM, "FAULT_AT": str(at), "FAULT_STOP": "1"}
    said = FOLDER / "said"
    with said.open("w") as file:
        process = subprocess.Popen(list(map(str, command)), env=settings, stdout=file, stderr=file)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    others = meanwhile() if os.WIFSTOPPED(status) else []
    if os.WIFSTOPPED(status):
        process.send_signal(signal.SIGCONT)
        _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, said.read_text(), others


def doomed():
    """The containers that are marked, and that nothing needs: what is to be added is not there yet."""
    if any("s000000000030" in file.name for file in (RUN / "ckpt").glob("*.swz")):
        return []
    return [RUN / "ckpt" / mark.stem for mark in (RUN / "doom").glob("*.doom")]


def restores(word, step, what):
    shutil.rmtree(OUT, ignore_errors=True)
    done = archive("restore", RUN, word, "-o", OUT)
    if done.returncode != 0 or tree(OUT) != files[step]:
        failures.append(f"{what}: {word} is not restored as it was: {done.returncode} {done.stderr}")


def goes_on(what):
    """Nothing is wrong, and the next add and prune work."""
    for words in (PRUNE, ["verify", RUN], ADD):
        done = archive(*words)
        if done.returncode != 0:
            failures.append(f"{what}: {words[0]} ends with {done.returncode}: {done.stderr}")
    restores("30", 30, what)
    for line in listed(RUN):
        restores(line["checkpoint"], line["step"], what)


def trial(case, at):
    before, words, others = CASES[case]
    fresh(before)
    late = []

    def meanwhile():
        done = [(other, archive(*other)) for other in others if other != "late"]
        late.extend(doomed() if "late" in others else [])
        return done

    status, said, done = suspended(words, at, meanwhile)
    for container in late:
        container.unlink(missing_ok=True)
    what = f"{case}, at call {at}"
    ended = [(words[0], status), *((other[0], end.returncode) for other, end in done)]
    for verb, code in ended:
        if code == 0 and verb in HAD:
            restores(*HAD[verb], what)
        # What is forgotten or pruned meanwhile cannot be had, and the verb says so.
        allowed = {"unforget": (0, 2), "tag": (0, 2), "restore": (0, 2, 4)}.get(verb, (0,))
        if code not in allowed:
            failures.append(f"{what}: {verb} ends with {code}: {said} {[end.stderr for _, end in done]}")
    if words is RESTORE and (status == 0) != OUT.exists() or words is RESTORE and status == 0 and tree(OUT) != files[20]:
        failures.append(f"{what}: half restored")
    goes_on(what)


def damage():
    """What is changed on the disk once it has its name is found before the add says that it is done."""
    alone = [*ADD, "--key"]
    number = calls([], alone).index("linkat") + 2
    fresh([])
    before = tree(RUN)

    def flip():
        for name in tree(RUN).keys() - before.keys():
            if name.endswith(".swz"):
                bytes_ = bytearray((RUN / name).read_bytes())
                bytes_[len(bytes_) // 3] ^= 4
                (RUN / name).write_bytes(bytes_)
                return name
        return None

    status, said, name = suspended(alone, number, flip)
    if status != 1 or not name or "keep the source" not in said or "30" in [line["checkpoint"] for line in listed(RUN)]:
        failures.append(f"damage of {name} between writing and checking: {status} {said}")


def removal():
    """Another file that gets the name of a source while that is packed is never removed."""
    place, log = FOLDER / "removal", FOLDER / "log"
    source, new = place / "m", place / "new"
    command = [SWZIP, "pack", "--rm", "-T1", source]

    def replace():
        new.write_bytes(model(30_000, seed=2))
        new.rename(source)

    def prepare():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        source.write_bytes(model(30_000, seed=1))

    prepare()
    log.unlink(missing_ok=True)
    subprocess.run(command, env=os.environ | {"LD_PRELOAD": SHIM, "FAULT_LOG": str(log)}, stderr=subprocess.DEVNULL, check=True)
    made = log.read_text().split()
    # The last look at the source syncs it, and is followed by its removal.
    removed = max(at for at, call in enumerate(made) if call == "unlinkat")
    last = max(at for at, call in enumerate(made[:removed]) if call == "fsync")
    for at in range(made.index("pread"), last + 1):
        prepare()
        status, said, _ = stopped(command, at + 1, replace)
        if not source.exists() or source.read_bytes() != model(30_000, seed=2) or status == 0:
            failures.append(f"pack --rm, another file at call {at + 1}: {status} {said}")


prepare()
damage()
removal()
planned, first = [], set()
for case, (before, words, _) in CASES.items():
    made = calls(before, words)
    planned += [(case, at + 1) for at in range(len(made))]
    # Before and behind each change of a name, whatever time there is.
    first |= {(case, at + after) for at, call in enumerate(made) if call in NAMING for after in (1, 2)}
done = Counter()
for case, at in sorted(RANDOM.sample(planned, len(planned)), key=lambda one: one not in first):
    if len(failures) > 9 or (case, at) not in first and is_over():
        break
    trial(case, at)
    done[case] += 1
for case, count in Counter(case for case, _ in planned).items():
    print(f"{case}: stopped at {done[case]} of {count} calls")
for failure in failures[:40]:
    print("WRONG", failure[:1000])
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
