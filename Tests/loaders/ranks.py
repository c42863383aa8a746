"""Ranks that train a sharded model together: processes of torch.distributed by gloo, forked from a server that has
imported once what takes long."""

import multiprocessing
import tempfile
from datetime import timedelta

import torch
from torch import distributed
from torch.distributed import checkpoint
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import swzip.archive
import swzip.dcp

SLOW = ["torch.distributed.checkpoint.state_dict", "torch.distributed.fsdp", "torch.distributed.tensor",
        "torch_checkpointing", "megatron.core.dist_checkpointing"]


def run(count, work, *arguments):
    """Calls a function in each of so many ranks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(SLOW)
    with tempfile.TemporaryDirectory() as meeting:
        ranks = [context.Process(target=_rank, args=(rank, count, f"file://{meeting}/file", work, *arguments))
                 for rank in range(count)]
        for rank in ranks:
            rank.start()
        for rank in ranks:
            rank.join()
    if any(rank.exitcode for rank in ranks):
        raise RuntimeError(f"ranks ended with {[rank.exitcode for rank in ranks]}")


def _rank(rank, count, meeting, work, folder, *arguments):
    torch.set_num_threads(1)
    # One that waits for another that has failed gives up.
    distributed.init_process_group("gloo", meeting, timedelta(minutes=2), rank=rank, world_size=count)
    work(folder, *arguments)
    distributed.destroy_process_group()


def train(seed):
    """A sharded model after a step, and its optimizer. Rows do not divide evenly."""
    torch.manual_seed(seed)
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    model = torch.nn.Sequential(torch.nn.Linear(256, 301), torch.nn.Linear(301, 130))
    model[0].to(torch.bfloat16)
    for layer in (*model, model):
        fully_shard(layer, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters())
    _step(model, optimizer)
    return model, optimizer


def _step(model, optimizer):
    model[1](model[0](torch.randn(8, 256, dtype=torch.bfloat16)).float()).square().sum().backward()
    optimizer.step()


def _write_whole(model, optimizer, path):
    """What all ranks have, by torch.save alone."""
    whole = get_state_dict(model, optimizer, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if distributed.get_rank() == 0:
        torch.save(whole, path)


def save(folder):
    """Trains, and saves folder/step packed, folder/plain as torch does, and folder/saved.pt whole."""
    model, optimizer = train(seed=1)
    parts = dict(zip(("model", "optimizer"), get_state_dict(model, optimizer)))
    checkpoint.save(parts, storage_writer=swzip.dcp.FileSystemWriter(f"{folder}/step"))
    checkpoint.save(parts, storage_writer=checkpoint.FileSystemWriter(f"{folder}/plain"))
    _write_whole(model, optimizer, f"{folder}/saved.pt")


def add(folder):
    """Trains, adds two steps to the archive folder/run, and writes folder/saved.pt, the second one, whole."""
    model, optimizer = train(seed=1)
    background = swzip.archive.Background(f"{folder}/run")
    for step, save in ((1, checkpoint.save), (2, checkpoint.async_save)):
        _step(model, optimizer)
        parts = dict(zip(("model", "optimizer"), get_state_dict(model, optimizer)))
        saving = save(parts, storage_writer=swzip.dcp.ArchiveWriter(background, step))
    saving.result()
    background.close()
    _write_whole(model, optimizer, f"{folder}/saved.pt")


def load(folder, name):
    """Trains otherwise, loads a checkpoint, and writes folder/loaded.pt whole."""
    model, optimizer = train(seed=2)
    parts = dict(zip(("model", "optimizer"), get_state_dict(model, optimizer)))
    if name == "run":
        reader = swzip.dcp.ArchiveReader(f"{folder}/run")
    else:
        reader = swzip.dcp.FileSystemReader(f"{folder}/{name}")
    checkpoint.load(parts, storage_reader=reader)
    set_state_dict(model, optimizer, model_state_dict=parts["model"], optim_state_dict=parts["optimizer"])
    _write_whole(model, optimizer, f"{folder}/loaded.pt")


def save_in_a_process(folder, state):
    """Saves in another process than that which trains."""
    kind = checkpoint.state_dict_saver.AsyncCheckpointerType.PROCESS
    writer = swzip.dcp.FileSystemWriter(f"{folder}/step")
    checkpoint.async_save(state, storage_writer=writer, async_checkpointer_type=kind).result()
