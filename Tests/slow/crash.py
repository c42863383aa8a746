"""What a power cut may leave of an archive, at each moment of each verb: recorded of the command, and judged by it.

    crash.py SWZIP SHIM.so FOLDER

Each verb runs under strace. A file's bytes are on the disk once it was synced; before, all of them may be, half, or none. A change
of a folder is on the disk once that was synced; before, any subset of its changes may be. That is less than any file system in
use promises. Each state that may be is made on the disk, where the command must list and restore what it did before, find nothing
wrong, and do its next work without help; and what a verb did is sure when it ends, also of one that was killed and run again.

Last, each kind of sync is taken out of the records in turn: then something must be found.
"""

import itertools
import re
import shutil
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path

from archives import archive, listed
from budget import RANDOM
from models import model

SWZIP, SHIM, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
MOST_SUBSETS = 64
CALLS = ("open openat openat2 creat write pwrite64 writev pwritev pwritev2 truncate ftruncate fallocate copy_file_range sendfile splice "
         "fsync fdatasync sync syncfs link linkat symlink symlinkat rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat")
STATES = ["pruned", "forgotten", "listed"]
NEXT = {"model.safetensors": model(30_000, seed=9)}
failures: list[str] = []


class File:
    def __init__(self, data=b"", is_synced=True):
        self.data, self.is_synced = data, is_synced

    def states(self):
        half = self.data[: len(self.data) // 2]
        return [self.data] if self.is_synced else [self.data, half + bytes(len(self.data) - len(half)), b""]


class Folder:
    """Names that are sure, and changes of names that are not yet: each of them some names and what they lead to, or None."""

    def __init__(self):
        self.sure, self.changes = {}, []

    def names(self, changes=None):
        names = dict(self.sure)
        for change in self.changes if changes is None else changes:
            names |= change
        return {name: node for name, node in names.items() if node is not None}

    def sync(self):
        self.sure, self.changes = self.names(), []

    def states(self):
        """What may be found in it, as dictionaries of bytes and dictionaries."""
        subsets = list(itertools.product([True, False], repeat=len(self.changes)))
        if len(subsets) > MOST_SUBSETS:
            subsets = [subsets[0], subsets[-1], *RANDOM.sample(subsets, MOST_SUBSETS - 2)]
        for kept in subsets:
            names = self.names(list(itertools.compress(self.changes, kept)))
            for nodes in itertools.product(*(list(node.states()) for node in names.values())):
                yield dict(zip(names, nodes))


class Disk:
    """A folder of the disk, what calls of the system make of it, and how much of that is sure to outlast a power cut."""

    def __init__(self, place):
        self.place, self.made = place, []
        self.root = self.read(place)

    def read(self, path):
        if not path.is_dir():
            return File(path.read_bytes())
        folder = Folder()
        folder.sure = {entry.name: self.read(entry) for entry in path.iterdir()}
        return folder

    def node(self, path):
        node = self.root
        for part in path.relative_to(self.place).parts:
            node = node.names().get(part)
        return node

    def change(self, *changes):
        """Each a path and what it leads to; those of one folder happen together."""
        folders = {}
        for path, node in changes:
            folders.setdefault(path.parent, {})[path.name] = node
        for path, names in folders.items():
            self.node(path).changes.append(names)

    def do(self, call, paths, text, contents=None):
        """`contents`: of the files that are made, in order; else what is written of them."""
        if call == "create":
            data = contents[len(self.made)] if contents else b""
            self.made.append(File(data, is_synced=False))
            self.change((paths[0], self.made[-1]))
        elif call == "write":
            self.node(paths[0]).is_synced = False
            if not contents:
                self.node(paths[0]).data += text
        elif call == "sync":
            node = self.node(paths[0])
            if isinstance(node, Folder):
                node.sync()
            else:
                node.is_synced = True
        elif call == "mkdir":
            self.change((paths[0], Folder()))
        elif call == "unlink":
            self.change((paths[0], None))
        elif call == "link":
            self.change((paths[1], self.node(paths[0])))
        else:
            self.change((paths[1], self.node(paths[0])), (paths[0], None))

    def now(self):
        """What is there for who runs on."""
        def seen(node):
            return node.data if isinstance(node, File) else {name: seen(inner) for name, inner in node.names().items()}
        return seen(self.root)


KINDS = {"write": "write", "pwrite64": "write", "ftruncate": "write", "fallocate": "write", "fsync": "sync", "fdatasync": "sync",
         "mkdirat": "mkdir", "unlinkat": "unlink", "linkat": "link", "renameat": "rename", "renameat2": "rename", "openat": "create"}


def change(line, place):
    """The change that a line of strace says, of what is below `place`, its paths and what is written; None where it is none."""
    match = re.match(r"(\w+)\((.*)\) += (-?\d+)", line)
    if not match or int(match[3]) < 0:
        return None
    call, words = match[1], match[2]
    # Descriptors are shown with their paths; a name is relative to the folder before it.
    places = re.findall(r'(?:AT_FDCWD|\d+)<(/[^>]*)>|"((?:[^"\\]|\\.)*)"', words)
    if call in ("open", "creat", "link", "symlink", "rename", "unlink", "rmdir", "mkdir"):
        places.insert(0, (str(Path.cwd()), ""))
    text = b""
    if KINDS.get(call) in ("write", "sync"):
        paths = [Path(opened) for opened, _ in places[:1]]
        text = "".join(name for _, name in places).encode("latin1").decode("unicode_escape").encode("latin1")
    else:
        paths, base = [], None
        for opened, name in places:
            if opened:
                base = Path(opened)
            else:
                paths.append(base / name)
    if not paths or not all(path.is_relative_to(place) for path in paths) or call == "openat" and "O_CREAT" not in words:
        return None
    if call not in KINDS or call == "openat" and "O_EXCL" not in words:
        sys.exit(f"not known: {line}")
    return KINDS[call], paths, text


def recorded(place, words, **environment):
    """What a verb does to a folder, in order, and how it ends."""
    log = FOLDER / "log"
    settings = [word for name, value in environment.items() for word in ("-E", f"{name}={value}")]
    command = ["strace", "-f", "-y", "-qq", "-s4096", "--seccomp-bpf", "-o", log, *settings, "-e", "trace=" + CALLS.replace(" ", ","),
               SWZIP, *words]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    found, begun = [], {}
    for line in log.read_text(errors="replace").splitlines():
        process, text = line.split(maxsplit=1)
        if text.endswith("<unfinished ...>"):
            begun[process] = text.removesuffix("<unfinished ...>")
            continue
        if text.startswith("<..."):
            text = begun.pop(process) + text.split("resumed>", 1)[1]
        if made := change(text, place):
            if made[0] == "write" and found and found[-1][:2] == made[:2]:
                made = (*made[:2], found.pop()[2] + made[2])
            found.append(made)
    return found, done


def with_contents(before, calls):
    """The disk after the calls, and what the files that they make hold; those that are gone again held something too."""
    disk = deepcopy(before)
    for call in calls:
        disk.do(*call)
    paths = {id(node): path for path, node in walk(disk.root, disk.place)}
    for node in disk.made:
        if id(node) in paths:
            node.data = paths[id(node)].read_bytes()
    return disk, [node.data for node in disk.made]


def walk(folder, path):
    for name, node in folder.names().items():
        yield path / name, node
        if isinstance(node, Folder):
            yield from walk(node, path / name)


def without_temporaries(tree):
    return {name: without_temporaries(inner) if isinstance(inner, dict) else inner
            for name, inner in tree.items() if not name.startswith(".swzip-")}


def write(tree, place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, inner in tree.items():
        if isinstance(inner, dict):
            write(inner, place / name)
        else:
            (place / name).write_bytes(inner)


def frozen(tree):
    return frozenset((name, frozen(inner) if isinstance(inner, dict) else inner) for name, inner in tree.items())


class Judge:
    """Asks the command what is there, and whether it can go on."""

    def __init__(self, archive_name):
        self.name, self.files, self.known = archive_name, {}, {}

    def found(self, path):
        """Of each checkpoint whether it is listed or forgotten, and what goes wrong."""
        states, wrong = {}, []
        for state, words in (("forgotten", ["--forgotten"]), ("listed", [])):
            try:
                states |= {line["checkpoint"]: state for line in listed(path, *words)}
            except RuntimeError as error:
                wrong.append(str(error))
        return states, wrong

    def problems(self, tree, lowest, highest, maker=None):
        """What is wrong with a state of the disk. `lowest`, `highest`: of each checkpoint, what may have become of it; `maker`: the
        verb that makes what else it is no archive, or is damaged, without."""
        key = (frozen(tree), *(frozenset(states.items()) for states in (lowest, highest)))
        if key not in self.known:
            self.known[key] = self.ask(tree, lowest, highest, maker)
        return self.known[key]

    def ask(self, tree, lowest, highest, maker):
        place = FOLDER / "state"
        write(tree, place)
        path = place / self.name
        if maker == "repair":
            archive(maker, path, "--from", place / "copy")
        elif maker and archive("list", path).returncode == 4:
            archive(maker, path)
        states, wrong = self.found(path)
        for name in lowest.keys() | states.keys():
            state = STATES.index(states.get(name, "pruned"))
            if not STATES.index(lowest.get(name, "pruned")) <= state <= STATES.index(highest.get(name, "pruned")):
                wrong.append(f"{name} is {STATES[state]}")
        done = archive("verify", path)
        if done.returncode != 0:
            wrong.append(f"verify ends with {done.returncode}: {done.stderr.strip()}")
        source = place / "checkpoint-9"
        write(NEXT, source)
        done = archive("add", path, source)
        if done.returncode != 0:
            wrong.append(f"the next add ends with {done.returncode}: {done.stderr.strip()}")
        trees = {name: self.files[name] for name, state in states.items() if state == "listed"}
        for name, files in (trees | {"9": NEXT}).items():
            done = archive("restore", path, name, "-o", place / f"restored-{name}")
            if done.returncode != 0 or Disk(place / f"restored-{name}").now() != files:
                wrong.append(f"{name} is not restored as it was: {done.returncode} {done.stderr.strip()}")
        return wrong


def explored(before, calls, files, states, after, judge, what, counts, maker=None):
    """What is wrong with what a power cut may leave at each moment of the calls, and at their end."""
    low = {name: min(states.get(name, "pruned"), after.get(name, "pruned"), key=STATES.index) for name in states | after}
    high = {name: max(states.get(name, "pruned"), after.get(name, "pruned"), key=STATES.index) for name in states | after}
    disk = deepcopy(before)
    seen = set()
    for number in range(len(calls) + 1):
        for tree in disk.root.states():
            counts["states"] += 1
            if (key := frozen(tree)) in seen:
                continue
            seen.add(key)
            counts["asked"] += 1
            for problem in judge.problems(tree, low, high, maker):
                yield f"{what}, a power cut after {said(calls[:number])}: {problem}"
        if number < len(calls):
            disk.do(*calls[number], files)
    yield from unsure(disk, what)


def said(calls):
    return " ".join(map(str, [calls[-1][0], *calls[-1][1]])) if calls else "nothing"


def unsure(disk, what):
    """What is there at the end, but not for sure."""
    end = without_temporaries(disk.now())
    if any(without_temporaries(tree) != end for tree in disk.root.states()):
        yield f"{what}: done, but a power cut may undo it"


class Story:
    """An archive from its making on, verb after verb; each explored."""

    def __init__(self):
        self.place = FOLDER / "place"
        self.place.mkdir(parents=True)
        self.path = self.place / "runs" / "a"
        self.judge, self.states, self.records, self.counts = Judge("runs/a"), {}, [], Counter()
        self.weights = bytearray(model(30_000))

    def source(self, step):
        """The files of a checkpoint, a step of training after the last."""
        for at in RANDOM.sample(range(2000, len(self.weights) - 1), 300):
            self.weights[at] ^= 1
        self.judge.files[step] = {"model.safetensors": bytes(self.weights), "state.json": f'{{"step": {step}}}'.encode()}
        write(self.judge.files[step], self.place / f"checkpoint-{step}")
        return self.place / f"checkpoint-{step}"

    def do(self, verb, *words, again=0, **environment):
        """Runs a verb on the archive, and explores it. The keywords of checkpoints, as s100, say what becomes of them; `again`: what it
        ends with that was done already."""
        after = self.states | {name[1:]: environment.pop(name) for name in list(environment) if name in ("s100", "s200", "s300")}
        what, words = " ".join([verb, *map(str, words)]), ["archive", verb, self.path, *words]
        before = Disk(self.place)
        calls, done = recorded(self.place, words, **environment)
        if done.returncode != 0:
            sys.exit(f"{what} fails without a power cut: {done.stderr}")
        end, files = with_contents(before, calls)
        states, wrong = self.judge.found(self.path)
        if states != {name: state for name, state in after.items() if state != "pruned"} or wrong:
            failures.append(f"{what}: {states} instead of {after}, {wrong}")
        record = (before, calls, files, self.states, after, self.judge, what, self.counts, verb if verb in ("init", "rebuild", "repair") else None)
        self.records.append(record)
        failures.extend(explored(*record))
        self.run_again(record, words, again, environment)
        if failures:
            finish()
        write(end.now(), self.place)
        self.states = after
        self.counts["verbs"] += 1
        self.counts["calls"] += len(calls)

    def damage(self, step):
        """Flips a bit of a container."""
        [file] = (self.path / "ckpt").glob(f"s{int(step):012}.*")
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)

    def copied(self, source):
        """What came by a copy, of which nothing was synced, is sure once an add relied on it."""
        before = Disk(self.place)
        folder = before.node(self.path / "ckpt")
        folder.changes = [{name: File(file.data, is_synced=False)} for name, file in folder.sure.items()]
        folder.sure = {}
        calls, done = recorded(self.place, ["archive", "add", self.path, source])
        failures.extend(unsure(with_contents(before, calls)[0], f"add {source} in a copy: {done.stderr}"))

    def run_again(self, record, words, already, environment):
        """Killed after each call, and run again: what that one says is done is sure, whoever did it."""
        before, calls, files, _, after, judge, what, counts, _ = record
        disk = deepcopy(before)
        for number, call in enumerate(calls):
            disk.do(*call, files)
            write(disk.now(), self.place)
            more, done = recorded(self.place, words, **environment)
            last = deepcopy(disk)
            last.made = []
            last, _ = with_contents(last, more)
            how = f"{what}, killed after {said([call])}, run again"
            if done.returncode not in (0, already):
                failures.append(f"{how}: ends with {done.returncode}: {done.stderr}")
            if done.returncode == 0:
                failures.extend(unsure(last, how))
            end = without_temporaries(last.now())
            failures.extend(f"{how}: {problem}" for problem in judge.problems(end, after, after))
            counts["run again"] += 1


def without_sync(of):
    """The calls without syncs of some paths."""
    return lambda calls: [call for call in calls if not (call[0] == "sync" and of(call[1][0]))]


def synced_late(calls):
    """Each file is synced after it has its name."""
    calls = list(calls)
    for number in range(len(calls) - 1):
        if calls[number][0] == "sync" and calls[number + 1][0] in ("link", "rename"):
            calls[number:number + 2] = [calls[number + 1], ("sync", calls[number + 1][1][-1:], b"")]
    return calls


def teeth(story):
    """What the exploration finds of protocols that are not this one."""
    folders = ["ckpt", "gone", "doom", "tags"]
    weaker = {f"without sync of {name}/": without_sync(lambda path, name=name: path.name == name) for name in folders}
    weaker["without sync of the archive's folder"] = without_sync(lambda path: path == story.path)
    weaker["without sync of the folder that it is in"] = without_sync(lambda path: path == story.path.parent)
    weaker["without sync of files"] = without_sync(lambda path: "." in path.name or path.name == "SWZARCHIVE")
    weaker["files synced after they have names"] = synced_late
    for name, weaken in weaker.items():
        found = None
        for before, calls, files, *rest in story.records:
            if (weak := weaken(calls)) != calls:
                found = found or next(explored(before, weak, files, *rest), None)
        if not found:
            failures.append(f"{name}: nothing is found")
        print(f"{name}: {found}")


def removal():
    """An original that is removed once it is packed is on the disk, or its container is, whole and in folders that were made for it."""
    place, name = FOLDER / "removal", "model.safetensors"
    write(NEXT, place)
    before = Disk(place)
    calls, done = recorded(place, ["pack", "--rm", "--output-dir", place / "made" / "too", place / name])
    end, files = with_contents(before, calls)
    if done.returncode != 0 or list(end.now()) != ["made"]:
        failures.append(f"pack --rm: {list(end.now())}: {done.stderr}")
    failures.extend(unsure(end, "pack --rm"))
    disk = deepcopy(before)
    for call in calls:
        disk.do(*call, files)
        for tree in disk.root.states():
            if name not in tree and tree.get("made", {}).get("too", {}).get(name + ".swz") != files[-1]:
                failures.append(f"pack --rm, a power cut after {said([call])}: neither original nor container")


def archived_removal():
    """The same of a checkpoint: it has its name, or the one that hides it while it goes, and is whole, or its container is."""
    place, name = FOLDER / "archived", "checkpoint-7"
    write({name: NEXT}, place)
    archive("init", place / "run")
    before = Disk(place)
    calls, done = recorded(place, ["archive", "add", "-T1", "--rm", place / "run", place / name])
    end, files = with_contents(before, calls)
    if done.returncode != 0 or list(end.now()) != ["run"]:
        failures.append(f"add --rm: {list(end.now())}: {done.stderr}")
        return
    failures.extend(unsure(end, "add --rm"))
    [(container, content)] = end.now()["run"]["ckpt"].items()
    disk = deepcopy(before)
    for call in calls:
        disk.do(*call, files)
        for tree in disk.root.states():
            original = tree.get(name, tree.get(f".{name}.swzip-rm"))
            if original != NEXT and tree["run"]["ckpt"].get(container) != content:
                failures.append(f"add --rm, a power cut after {said([call])}: neither original nor container")


def finish():
    for failure in failures[:40]:
        print("WRONG", failure[:1000])
    print(f"{len(failures)} wrong")
    sys.exit(bool(failures))


FOLDER.mkdir(parents=True, exist_ok=True)
story = Story()
story.do("init", again=2)
for folder in filter(Path.is_dir, list(story.path.iterdir())): # As in a copy without empty folders.
    folder.rmdir()
story.do("add", story.source("100"), s100="listed")
second = story.source("200")
story.do("add", second, s200="listed")
story.do("add", second)
story.copied(second)
story.do("tag", "100", "best")
story.do("tag", "200", "best")
tag = story.path / "tags" / "best.tag"
best = tag.read_bytes()
story.do("tag", "--remove", "best", again=2)
story.do("add", "--key", story.source("300"), s300="listed")
shutil.copytree(story.path, story.place / "copy")
story.damage("300")
story.do("repair", "--from", story.place / "copy")
shutil.rmtree(story.place / "copy")
story.do("forget", "100", s100="forgotten")
story.do("prune", "--grace", "1h")
story.do("unforget", "100", s100="listed")
story.do("forget", "100", "200", s100="forgotten", s200="forgotten")
story.do("prune", "--grace", "1h")
# A tag comes by a copy, and goes again: what is doomed is needed, and a prune revives it.
tag.write_bytes(best)
story.states["200"] = "listed"
story.do("prune", "--grace", "1h")
tag.unlink()
story.states["200"] = "forgotten"
story.do("prune", "--grace", "1h")
story.do("unforget", "200", s200="listed")
(story.path / "ckpt" / ".swzip-1-0123456789abcdef.tmp").touch()
story.do("clean", LD_PRELOAD=SHIM, FAULT_LATER="7200")
story.do("prune", "--keep-last", "1", "--grace", "0", s100="pruned", s200="pruned")
(story.path / "SWZARCHIVE").unlink()
story.do("rebuild")
print(dict(story.counts))
removal()
archived_removal()
teeth(story)
finish()
