"""Checkpoints whose moments an archive keeps within a bound.

    moments.py SWZIP FOLDER

torch trains a small model and saves it, as a zip archive, as before 1.6, without sums, as safetensors. What is restored is loaded by
torch, tested as a zip archive, and compared: weights and all else are the same to the bit, and each moment is within the bound, by
numpy alone. Damaged zip archives cost no byte outside of the moments.
"""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from budget import RANDOM

SWZIP, FOLDER = sys.argv[1], Path(sys.argv[2])
DAMAGED = 60
POLICIES = ("relative:2^-8", "update:1/64")


def archive(*words, fails=False):
    done = subprocess.run([SWZIP, "archive", *map(str, words)], capture_output=True, text=True, timeout=60)
    if (done.returncode != 0) != fails:
        raise SystemExit(f"{words}: {done.returncode}: {done.stderr}")
    return done


def trained():
    """A model and its optimizer after some steps; some rows never have a gradient."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Embedding(50, 40), torch.nn.Linear(40, 120), torch.nn.ReLU(), torch.nn.Linear(120, 7))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95))
    for _ in range(5):
        optimizer.zero_grad()
        model(torch.randint(0, 40, (16,))).square().sum().backward()
        optimizer.step()
    return model, optimizer


def save(folder):
    """The same state in every form: names, and what loads the tensors of each by name."""
    model, optimizer = trained()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()}

    def flat(state):
        found = dict(state["model"]) | {"rng": state["rng"]}
        for number, values in state["optimizer"]["state"].items():
            found |= {f"{number}.{name}": value for name, value in values.items()}
        return found

    def load(path):
        return flat(torch.load(path, weights_only=True))

    torch.save(state, folder / "zip.pt")
    torch.save(state, folder / "old.pt", _use_new_zipfile_serialization=False)
    torch.serialization.set_crc32_options(False)
    torch.save(state, folder / "no-sums.pt")
    torch.serialization.set_crc32_options(True)
    named = {f"optimizer.{name}" if "exp_avg" in name else name: value for name, value in flat(state).items()}
    safetensors.torch.save_file(named, folder / "state.safetensors")
    return [("zip.pt", load), ("old.pt", load), ("no-sums.pt", load), ("state.safetensors", safetensors.torch.load_file)]


def check_bound(policy, m, v, new_m, new_v):
    """In numbers of 64 bits, as the bound is defined."""
    m, v, new_m, new_v = (np.asarray(x, np.float64) for x in (m, v, new_m, new_v))
    if policy.startswith("relative"):
        assert (abs(new_m - m) <= abs(m) / 256).all() and (abs(new_v - v) <= v / 256).all()
    else:
        some = v > 0
        assert (new_m[~some] == m[~some]).all() and (new_v[~some] == v[~some]).all() and (new_v[some] > 0).all()
        m, v, new_m, new_v = m[some], v[some], new_m[some], new_v[some]
        assert (abs(new_v - v) <= v / 16).all()
        assert (abs(new_m / np.sqrt(new_v) - m / np.sqrt(v)) <= 1 / 64).all()


def compare(policy, before, after):
    """Returns how many first moments changed; all but moments is the same."""
    assert list(before) == list(after)
    changed = 0
    for name, value in before.items():
        assert value.dtype == after[name].dtype and value.shape == after[name].shape
        if name.endswith("exp_avg"):
            check_bound(policy, value, before[name + "_sq"], after[name], after[name + "_sq"])
            changed += not torch.equal(value, after[name])
        elif not name.endswith("exp_avg_sq"):
            assert torch.equal(value, after[name]), name
    return changed


def real_files():
    source = FOLDER / "source"
    source.mkdir(parents=True)
    files = save(source)
    for policy in POLICIES:
        run = FOLDER / policy.replace("/", "-")
        archive("init", run)
        said = archive("add", run, source, "--step", 1, "--moments", policy, "--json")
        line = json.loads(said.stdout)
        assert line["exact"] is False and line["moments"]["bound"] == policy and len(line["moments"]["files"]) == 4
        assert said.stderr.count(f"moments within {policy} of the source, not exact") == 4, said.stderr
        for verb in (["list", run], ["show", run, 1], ["stats", run], ["restore", run, 1, "-o", run / "out"], ["verify", run]):
            said = archive(*verb)
            assert "not exact" in said.stdout + said.stderr, verb
        assert "there already" in archive("add", run, source, "--step", 1, "--moments", policy).stderr
        for name, load in files:
            before, after = load(source / name), load(run / "out" / name)
            assert compare(policy, before, after) >= 4, name
        assert zipfile.ZipFile(run / "out" / "zip.pt").testzip() is None
        # Where none were made, none are.
        sums = [[record.CRC for record in zipfile.ZipFile(place / "no-sums.pt").infolist()] for place in (source, run / "out")]
        assert sums[0] == sums[1]
        print(f"{policy}: torch loads what is restored, and every value is within the bound")
    archive("add", FOLDER / "update:1-64", source, "--step", 2, "--moments", "update:1/65", fails=True)


def damaged_zips():
    """Restored are the bytes that were added, but for those of moments and sums."""
    whole = (FOLDER / "source" / "zip.pt").read_bytes()
    state = torch.load(io.BytesIO(whole), weights_only=True)["optimizer"]["state"]
    free = np.zeros(len(whole), bool)
    for values in state.values():
        for name in ("exp_avg", "exp_avg_sq"):
            data = values[name].contiguous().numpy().tobytes()
            place = whole.find(data) if any(data) else -1
            free[place : place + len(data)] = place >= 0
    headers = [place for place in range(len(whole) - 4) if whole[place : place + 4] in (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\7\x08")]
    run, folder, changed = FOLDER / "damaged", FOLDER / "one", 0
    archive("init", run)
    folder.mkdir()
    for step in range(DAMAGED):
        data = bytearray(whole)
        for _ in range(RANDOM.randrange(1, 4)):
            place = RANDOM.choice(headers) + RANDOM.randrange(46) if RANDOM.random() < 0.8 else RANDOM.randrange(len(data))
            data[min(place, len(data) - 1)] = RANDOM.choice([0, 1, 255, RANDOM.randrange(256)])
        (folder / "zip.pt").write_bytes(data)
        archive("add", run, folder, "--step", step, "--moments", "update:1/64", "--as-is", "--key")
        archive("restore", run, step, "-o", FOLDER / "out", "-f")
        after = np.frombuffer((FOLDER / "out" / "zip.pt").read_bytes(), np.uint8)
        differs = after != np.frombuffer(bytes(data), np.uint8)
        changed += differs.any()
        sums = np.zeros(len(whole), bool)
        for place in headers:
            sums[place + 4 : place + 20] = True
        assert not (differs & ~free & ~sums).any(), (step, np.flatnonzero(differs & ~free & ~sums)[:5])
    assert changed > DAMAGED // 4, changed
    print(f"{DAMAGED} damaged zip archives, of which {changed} had moments: nothing else changed")


real_files()
damaged_zips()
