"""Models and pipelines of diffusers from packed folders."""

import json
import unittest
import warnings

import safetensors.torch
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiffusionPipeline, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPImageProcessor, CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import swzip
import swzip.diffusers
import swzip.torch
from models import WAYS, LoaderTest


def unet():
    return UNet2DConditionModel(
        block_out_channels=(16, 32), layers_per_block=1, sample_size=8, cross_attention_dim=32, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))


def pipeline(folder):
    torch.manual_seed(5)
    vae = AutoencoderKL(block_out_channels=[16, 32], norm_num_groups=8, down_block_types=["DownEncoderBlock2D"] * 2,
                        up_block_types=["UpDecoderBlock2D"] * 2)
    text = CLIPTextModel(CLIPTextConfig(hidden_size=32, intermediate_size=37, num_attention_heads=4,
                                        num_hidden_layers=2, vocab_size=1000))
    (folder / "vocab.json").write_text(json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 2, "a</w>": 3, "cat</w>": 4}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16)
    scheduler = DDIMScheduler(steps_offset=1, clip_sample=False)
    vision = {"hidden_size": 32, "intermediate_size": 37, "num_attention_heads": 4, "num_hidden_layers": 2,
              "image_size": 30, "patch_size": 10, "projection_dim": 16}
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, projection_dim=16))
    return StableDiffusionPipeline(vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet(), scheduler=scheduler,
                                   safety_checker=checker, feature_extractor=CLIPImageProcessor(crop_size=30, size=30))


def image(pipe):
    return torch.from_numpy(pipe("a cat", num_inference_steps=1, height=16, width=16, output_type="np",
                                 generator=torch.Generator().manual_seed(0)).images)


class DiffusersTest(LoaderTest):
    def test_pipelines(self):
        plain = self.folder / "pipeline"
        pipeline(self.folder).save_pretrained(plain)
        for way in WAYS:
            packed = self.packed(plain, way)
            for options in ({}, {"torch_dtype": torch.bfloat16}):
                found = swzip.diffusers.from_pretrained(packed, **options)
                wanted = DiffusionPipeline.from_pretrained(plain, **options)
                self.assertEqual((type(found), found.config.keys()), (type(wanted), wanted.config.keys()))
                for name in ("unet", "vae", "text_encoder", "safety_checker"):
                    self.assert_same_tensors(getattr(found, name).state_dict(), getattr(wanted, name).state_dict())
        self.assertTrue(torch.equal(image(swzip.diffusers.from_pretrained(packed)),
                                    image(DiffusionPipeline.from_pretrained(plain))))

    def test_models(self):
        torch.manual_seed(6)
        for options in ({}, {"max_shard_size": "100KB"}, {"variant": "fp16"}):
            plain = self.folder / f"unet{len(options)}{options.get('variant', '')}"
            unet().half().save_pretrained(plain, **options)
            variant = {name: options[name] for name in options if name == "variant"}
            for dtype in (None, torch.float16):
                wanted = UNet2DConditionModel.from_pretrained(plain, torch_dtype=dtype, **variant)
                packed = self.folder / f"{plain.name}-each"
                packed = packed if packed.exists() else self.packed(plain, "each")
                found = swzip.diffusers.load_model(UNet2DConditionModel, packed, torch_dtype=dtype, **variant)
                self.assert_same_tensors(found.state_dict(), wanted.state_dict())
                self.assertFalse(found.training)

    def test_names_of_older_versions(self):
        plain = self.folder / "vae"
        torch.manual_seed(7)
        AutoencoderKL(block_out_channels=[16], norm_num_groups=8).save_pretrained(plain)
        path = plain / "diffusion_pytorch_model.safetensors"
        renamed = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
        tensors = swzip.torch.load_file(swzip.pack(path))
        for new, old in renamed.items():
            tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
        safetensors.torch.save_file(tensors, path, {"format": "pt"})
        path.with_name(path.name + ".swz").unlink()
        wanted = AutoencoderKL.from_pretrained(plain)
        found = swzip.diffusers.load_model(AutoencoderKL, self.packed(plain, "one"))
        self.assert_same_tensors(found.state_dict(), wanted.state_dict())

    def test_mistakes(self):
        (self.folder / "empty").mkdir()
        with self.assertRaisesRegex(swzip.SwzipError, "holds no model_index.json"):
            swzip.diffusers.from_pretrained(self.folder / "empty")
        unet().save_pretrained(self.folder / "unet")
        with self.assertRaisesRegex(swzip.SwzipError, "holds no packed weights"):
            swzip.diffusers.load_model(UNet2DConditionModel, self.folder / "unet")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    unittest.main()
