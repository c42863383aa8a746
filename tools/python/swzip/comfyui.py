"""A node of ComfyUI, "Load Diffusion Model (swz)": a file in custom_nodes that has the one line
`from swzip.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS`."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import comfy.sd
import folder_paths

from ._library import SwzipError
from ._safe_open import safe_open

FOLDER = "swz_diffusion_models"  # ComfyUI's name for the files in its folders of diffusion models that end in .swz
folder_paths.folder_names_and_paths[FOLDER] = (folder_paths.get_folder_paths("diffusion_models"), {".swz"})


class LoadDiffusionModel:
    RETURN_TYPES = ("MODEL",)
    FUNCTION = "load"
    CATEGORY = "model/loaders"

    @classmethod
    def INPUT_TYPES(cls) -> Dict[str, Any]:
        return {"required": {"model_name": (folder_paths.get_filename_list(FOLDER),)}}

    def load(self, model_name: str) -> Tuple[Any]:
        path = folder_paths.get_full_path_or_raise(FOLDER, model_name)
        with safe_open(path, "pt") as file:
            model = comfy.sd.load_diffusion_model_state_dict(file.get_tensors(), metadata=file.metadata())
        if model is None:
            raise SwzipError("is no diffusion model that ComfyUI knows", file=path)
        return (model,)


NODE_CLASS_MAPPINGS = {"SwzipLoadDiffusionModel": LoadDiffusionModel}
NODE_DISPLAY_NAME_MAPPINGS = {"SwzipLoadDiffusionModel": "Load Diffusion Model (swz)"}
