"""Training jobs that are killed beside `swzip archive watch --rm`, and resume from the archive.

    training.py SWZIP FOLDER KIND STEPS KILLS    kills a job at random moments, and compares its weights in the end with those of
                                                 one that was never killed: they must be equal to the bit
    training.py begin SWZIP FOLDER               the Trainer, to its first checkpoint, which is archived
    training.py job SWZIP FOLDER STEPS BEGUN     goes on from there, with a watcher, for ckpt-chaos, which kills it at each file event
    training.py resume SWZIP FOLDER STEPS        what follows such a kill

KIND is plain, a loop that saves folders with safetensors and torch.save, or trainer, the Trainer of transformers.
"""

import ctypes
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import safetensors.torch
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

SAVE_STEPS = 20


def plain(folder, steps, resume):
    model = torch.nn.Sequential(
        torch.nn.Embedding(256, 64), torch.nn.Flatten(), torch.nn.Linear(16 * 64, 256), torch.nn.GELU(), torch.nn.Linear(256, 256)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    step = 0
    if resume:
        model.load_state_dict(safetensors.torch.load_file(f"{resume}/model.safetensors"))
        state = torch.load(f"{resume}/state.pt")
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        step = state["step"]
    while step < steps:
        words = torch.randint(0, 256, (32, 16))
        loss = torch.nn.functional.cross_entropy(model(words), words.sum(1) % 256)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % SAVE_STEPS == 0:
            place = Path(folder, f"step_{step}")
            place.mkdir(exist_ok=True)
            safetensors.torch.save_file(model.state_dict(), place / "model.safetensors")
            state = {"step": step, "optimizer": optimizer.state_dict(), "random": torch.get_rng_state()}
            torch.save(state, place / "state.pt")
    return model


class Words(torch.utils.data.Dataset):
    def __len__(self):
        return 4096

    def __getitem__(self, index):
        words = torch.randint(0, 100, (16,), generator=torch.Generator().manual_seed(index))
        return {"input_ids": words, "labels": words.clone()}


def trainer(folder, steps, resume):
    model = GPT2LMHeadModel(GPT2Config(vocab_size=100, n_positions=16, n_embd=64, n_layer=2, n_head=2))
    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=steps, save_steps=SAVE_STEPS, save_total_limit=3, per_device_train_batch_size=8,
        use_cpu=True, report_to=[], logging_strategy="no", disable_tqdm=True, seed=0, data_seed=0, lr_scheduler_type="constant",
    )
    Trainer(model=model, args=arguments, train_dataset=Words()).train(resume_from_checkpoint=resume)
    return model


def job(kind, folder, steps, resume, result):
    """Trains, and leaves the digest of the weights in a file."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(0)
    model = {"plain": plain, "trainer": trainer}[kind](folder, steps, resume)
    weights = b"".join(value.contiguous().numpy().tobytes() for value in model.state_dict().values())
    Path(result).write_text(hashlib.sha256(weights).hexdigest())


def archive(swzip, *words, fine=(0,)):
    # On a machine that is busy a watch may find a hundred checkpoints that wait; who runs this bounds its time.
    done = subprocess.run([swzip, "archive", *map(str, words)], capture_output=True, text=True)
    if done.returncode not in fine:
        raise SystemExit(f"archive {words}: {done.returncode}: {done.stderr}")
    return done.stdout


def restored(swzip, run, folder):
    """The newest checkpoint, in a folder of the job; None where there is none yet."""
    steps = [json.loads(line)["step"] for line in archive(swzip, "list", run, "--json").splitlines()]
    place = folder / "resumed"
    shutil.rmtree(place, ignore_errors=True)
    if not steps:
        return None, 0
    archive(swzip, "restore", run, "latest", "-o", place)
    return str(place), max(steps)


WATCH = ["--rm", "--poll", "0.1", "--quiet-seconds", "0.5"]


def watch(swzip, run, folder, **where):
    """A watcher that ends with this process, however that ends."""
    words = [swzip, "archive", "watch", run, folder, *WATCH]
    return subprocess.Popen(words, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGTERM), **where)


class Killed:
    """A job that is killed at random moments, with its watcher, which never is."""

    def __init__(self, swzip, place, kind, steps):
        self.swzip, self.kind, self.steps = swzip, kind, steps
        self.run, self.folder, self.result = place / "run", place / "out", place / "result"
        shutil.rmtree(place, ignore_errors=True)
        self.folder.mkdir(parents=True)
        archive(swzip, "init", self.run)
        self.log = open(place / "log", "w")
        self.watch = watch(swzip, self.run, self.folder, stdout=self.log, stderr=subprocess.STDOUT)

    def start(self, resume):
        process = multiprocessing.get_context("fork").Process(
            target=job, args=(self.kind, self.folder, self.steps, resume, self.result))
        process.start()
        return process

    def resume(self):
        # Half of them as a job that comes back at once, half as one whose end ran the recipe.
        if RANDOM.random() < 0.5:
            archive(self.swzip, "watch", self.run, self.folder, "--once", *WATCH, fine=(0, 2))
        return restored(self.swzip, self.run, self.folder)

    def finish(self):
        archive(self.swzip, "watch", self.run, self.folder, "--once", *WATCH)
        self.watch.send_signal(signal.SIGTERM)
        if self.watch.wait(60) != -signal.SIGTERM:
            raise SystemExit(f"the watcher ended with {self.watch.returncode}")
        archive(self.swzip, "verify", self.run)


def kills(swzip, place, kind, steps, count):
    reference = place / "reference"
    reference.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    process = multiprocessing.get_context("fork").Process(target=job, args=(kind, reference, steps, None, place / "wanted"))
    process.start()
    process.join()
    seconds = time.monotonic() - start
    done = 0
    # A run may end before it was killed so often: the machine was busier before. Then there is another one.
    while True:
        killed = Killed(swzip, place / "killed", kind, steps)
        done += run(killed, seconds, count, count - done)
        compare(killed, (place / "wanted").read_text(), f"{kind}: {steps} steps in {seconds:.0f} s, {done} kills")
        if done == count:
            break


def run(killed, seconds, count, most):
    """Kills a job at most so often, with as much time between as for `count` kills, until it ends. Returns how often it did."""
    kind, done, resume, reached = killed.kind, 0, None, 0
    while True:
        process = killed.start(resume)
        if done < most:
            process.join(RANDOM.uniform(0.2, 2) * seconds / count)
        else:
            process.join()
        if process.exitcode is None:
            process.kill()
            process.join()
            done += 1
        elif process.exitcode != 0:
            raise SystemExit(f"{kind}: it cannot be resumed from {reached}")
        else:
            return done
        step = reached
        resume, reached = killed.resume()
        if reached < step:
            raise SystemExit(f"{kind}: latest went from {step} back to {reached}")


def compare(killed, wanted, what):
    """The weights in the end, and what else there must be."""
    swzip, kind = killed.swzip, killed.kind
    killed.finish()
    found = killed.result.read_text()
    words = Path(killed.log.name).read_text()
    wrong = [line for line in words.splitlines() if line.startswith("swzip: ")]
    if wanted != found or wrong:
        raise SystemExit(f"{kind}: {wanted} became {found}; {wrong}")
    originals = [path.name for path in killed.folder.iterdir() if path.name != "resumed"]
    lines = [json.loads(line) for line in archive(swzip, "list", killed.run, "--json").splitlines()]
    packed, raw = sum(line["out_bytes"] for line in lines), sum(line["in_bytes"] for line in lines)
    print(
        f"{what}, {len(lines)} checkpoints, {raw / 2**20:.0f} => "
        f"{packed / 2**20:.1f} MiB ({raw / packed:.2f} : 1), {words.count(' : removed')} originals removed, {originals} left; "
        f"the weights are those of a run that was never killed"
    )


def begin(swzip, folder):
    run, out = folder / "run", folder / "out"
    out.mkdir(parents=True)
    archive(swzip, "init", run)
    job("trainer", out, SAVE_STEPS, None, folder / "result")
    archive(swzip, "watch", run, out, "--once", *WATCH)


def chaos_job(swzip, folder, steps, begun):
    subprocess.run(["cp", "-a", begun, folder], check=True)
    run, out = folder / "run", folder / "out"
    watch(swzip, run, out, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    job("trainer", out, int(steps), restored(swzip, run, out)[0], folder / "result")


def chaos_resume(swzip, folder, steps):
    run, out = folder / "run", folder / "out"
    archive(swzip, "watch", run, out, "--once", *WATCH, fine=(0, 2))
    resume, step = restored(swzip, run, out)
    print(f"resumed from step {step}")
    job("trainer", out, int(steps), resume, folder / "result")


if __name__ == "__main__":
    first, *rest = sys.argv[1:]
    if first in ("begin", "job", "resume"):
        {"begin": begin, "job": chaos_job, "resume": chaos_resume}[first](rest[0], Path(rest[1]), *rest[2:])
    else:
        from budget import RANDOM

        kills(first, Path(rest[0]), rest[1], int(rest[2]), int(rest[3]))
