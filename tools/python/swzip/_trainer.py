"""The callback of transformers' Trainer."""

from __future__ import annotations

import os
from typing import Any, Optional, Union

import torch
import transformers

from ._background import Background
from ._library import Path
from .archive import Archive


class TrainerCallback(transformers.TrainerCallback):
    """Adds each checkpoint of a Trainer to an archive, beside training, and prints for how long a step waited:
    `Trainer(callbacks=[TrainerCallback("run.swza")])`. `options` are those of `Background`; what waits is beside the
    Trainer's output folder, with ".pending" behind its name.

    The Trainer may remove its checkpoints meanwhile (`save_total_limit`): what is taken over has a second name. Process
    zero adds what all have written, so the folder has to be one that all see. The end of training waits until all is
    added. What goes wrong comes out of the next save, or of the end; `restore_latest` gives what to resume from."""

    def __init__(self, archive: Union[Archive, Path], **options: Any):
        self.archive = archive if isinstance(archive, Archive) else Archive(archive, create=True)
        self._options = options
        self.background: Optional[Background] = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero and self.background is None:
            pending = os.path.abspath(args.output_dir) + ".pending"
            self.background = Background(self.archive, **{"pending": pending, **self._options})

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.barrier()  # Each has written its part.
        if self.background is not None:
            folder = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
            print(f"swzip: {self.background.add_folder(folder, state.global_step)}", flush=True)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.background is not None:
            self.background.flush()
